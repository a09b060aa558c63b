// The single instructions and the per-CPU area that Swift cannot express. No policy here.
#ifndef CMACHINE_H
#define CMACHINE_H
#include "cpu_area.h"
#include "memory.h"
#include "instructions.h"
#include "boot.h"
#endif
