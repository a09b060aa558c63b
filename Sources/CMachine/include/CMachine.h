// The single instructions and the per-CPU area that Swift cannot express. No policy here.
#ifndef CMACHINE_H
#define CMACHINE_H
#include "assembly.h"
#include "cpu_area.h"
#include "memory.h"
#include "instructions.h"
#include "pt_regs.h"
#include "descriptor_tables.h"
#include "entry_points.h"
#include "random.h"
#include "boot.h"
#include "thread_switch.h"
#endif
