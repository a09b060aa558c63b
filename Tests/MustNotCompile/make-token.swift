// expect: 'TaskContext' initializer is inaccessible due to '@_spi' protection level

import Primitives

func sleeps(_ task: borrowing TaskContext) {}

func topHalf(_ interrupt: borrowing HardInterruptContext) {
    let forged = TaskContext()
    sleeps(forged)
}
