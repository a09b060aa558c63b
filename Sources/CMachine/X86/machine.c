#include "CMachine.h"

struct cpu_area *cpu_areas[MAXIMUM_CPUS];
