// expect: 'callFunctionMany(_:wait:_:_:_:)' is unavailable: two CPUs that wait for each other with interrupts off wait for ever

import CrossCPU
import Primitives

func callsOthers() throws(CallError) {
    try withInterruptsOff { off throws(CallError) in
        _ = try CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in }
    }
}
