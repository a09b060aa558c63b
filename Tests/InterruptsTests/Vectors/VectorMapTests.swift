import Machine
import Testing

@testable import Interrupts

@Suite struct VectorMapTests {
    @Test func uses() {
        for number in UInt8.min...UInt8.max {
            let wanted: Vector.Use =
                switch number {
                case 0...19: .exception
                case 20...31, 240...250: .reserved
                case 128: .systemCall
                case 239, 251...255: .local
                default: .device
                }
            #expect(Vector(number).use == wanted)
        }
    }

    @Test func gatesForUserPrograms() throws {
        for number in UInt8.min...UInt8.max {
            let gate = try InterruptDescriptorTable.gate(for: Vector(number), entry: 0x1000)
            #expect(gate.dpl == ([3, 4, 128].contains(number) ? 3 : 0))
            #expect(gate.type == GateType.interrupt.rawValue)
            #expect(gate.segment == 0x10)
        }
    }

    @Test func stacks() throws {
        let stacks: [UInt8: UInt8] = [8: 1, 2: 2, 18: 3, 1: 4]
        for number in UInt8.min...UInt8.max {
            let gate = try InterruptDescriptorTable.gate(for: Vector(number), entry: 0)
            #expect(gate.ist == stacks[number] ?? 0)
        }
    }
}
