#include "CMachine.h"
__thread struct cpu_area *cpu_area_bound;
