// What the entry code calls in rooms that may not be linked in: until Linux defines system calls, each answers
// ENOSYS, which the entry code has already put into ax.
    .text
    .weak apus_system_call
    .weak apus_system_call_int80
apus_system_call:
apus_system_call_int80:
    ret
    .section .note.GNU-stack, "", @progbits
