// The first serial port without any of the kernel: for a report before there is a console.
#include "CMachine.h"

#define SERIAL_PORT 0x3f8
#define TRANSMITTER_EMPTY 0x20

void machine_raw_console_put(uint8_t byte)
{
    if (byte == '\n') machine_raw_console_put('\r');
    for (int turn = 0; turn < 1000000; turn++) {
        if (machine_in8(SERIAL_PORT + 5) & TRANSMITTER_EMPTY) break;
        machine_pause();
    }
    machine_out8(SERIAL_PORT, byte);
}
