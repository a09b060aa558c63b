#include "CMachine.h"
__thread struct cpu_area *cpu_area_bound;

// Those whose CPUs this host thread has played.
__thread struct cpu_area *cpu_areas[MAXIMUM_CPUS];
