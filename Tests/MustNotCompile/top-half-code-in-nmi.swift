// expect: cannot convert value of type 'NMIContext' to expected argument type 'HardInterruptContext'

import Primitives

func handlesLine(_ interrupt: borrowing HardInterruptContext) {}

func nonMaskable(_ interrupt: borrowing NMIContext) { handlesLine(interrupt) }
