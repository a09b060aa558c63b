// Signals and codes as Linux gives them.

import Testing

@testable import Interrupts

@Suite struct UserExceptionTests {
    @Test(
        arguments: [
            (.divideError, 8, 1, 0x1234), (.breakpoint, 5, 0x80, 0), (.overflow, 11, 0x80, 0),
            (.boundRange, 11, 0x80, 0), (.invalidOpcode, 4, 2, 0x1234), (.coprocessorSegment, 8, 0x80, 0),
            (.invalidTSS, 11, 0x80, 0), (.segmentNotPresent, 7, 0x80, 0), (.stackFault, 7, 0x80, 0),
            (.generalProtection, 11, 0x80, 0), (.alignmentCheck, 7, 1, 0), (.controlProtection, 11, 10, 0),
        ] as [(Vector, Int32, Int32, UInt)])
    func plain(vector: Vector, signal: Int32, code: Int32, address: UInt) {
        #expect(
            UserException(plain: vector, ip: 0x1234)
                == UserException(signal: signal, code: code, address: address))
    }

    @Test(arguments: [Vector.doubleFault, .machineCheck, .nonMaskable, .deviceNotAvailable, Vector(15)])
    func kernelsOwn(vector: Vector) {
        #expect(UserException(plain: vector, ip: 0) == nil)
    }

    @Test(arguments: [(0x4000, 2), (0x4001, 2), (1, 4), (8, 4), (0, 1)] as [(UInt64, Int32)])
    func debug(status: UInt64, code: Int32) {
        #expect(
            UserException(debugStatus: status, ip: 0x77)
                == UserException(signal: 5, code: code, address: 0x77))
    }

    @Test(
        arguments: [
            (0x01, 7), (0x04, 3), (0x08, 4), (0x10, 5), (0x02, 5), (0x20, 6), (0x3f, 7), (0x28, 4),
        ] as [(UInt32, Int32)])
    func floatingPoint(raised: UInt32, code: Int32) {
        #expect(
            UserException(floatingPoint: raised, ip: 9) == UserException(signal: 8, code: code, address: 9))
    }

    @Test func spuriousFloatingPoint() {
        #expect(UserException(floatingPoint: 0, ip: 9) == nil)
    }

    @Test func pageFaultCodes() {
        let code = PageFaultCode(0x17)
        #expect(code.isProtection && code.isWrite && code.isUser && code.isInstructionFetch)
        #expect(!code.isReservedBit)
        #expect(!PageFaultCode(0).isProtection && !PageFaultCode(0).isWrite && !PageFaultCode(0).isUser)
    }
}
