// The values that a sleep state wants in the PM1 control registers: `Name (_S5, Package () { a, b, ... })` in
// the byte code of a definition block (ACPI specification 6.5, 7.4.2 and 20.2). Apus has no interpreter, and
// needs none for this: the package is a constant in every table seen.

public struct SleepPackage: Equatable, Sendable {
    public enum State: UInt32, Sendable {
        /// "_S5_", soft off.
        case softOff = 0x5f35_535f
    }

    /// SLP_TYP for PM1a and PM1b (3 bits each).
    public var typeA: UInt8
    public var typeB: UInt8

    private enum Opcode {
        static let name: UInt8 = 0x08
        static let package: UInt8 = 0x12
        static let root: UInt8 = 0x5c
        static let byte: UInt8 = 0x0a
        static let word: UInt8 = 0x0b
        static let double: UInt8 = 0x0c
        static let zero: UInt8 = 0x00
        static let one: UInt8 = 0x01
    }

    public init(typeA: UInt8, typeB: UInt8) {
        self.typeA = typeA
        self.typeB = typeB
    }

    /// Finds the package of that name in a definition block.
    public init?(named state: State, in code: Span<UInt8>) {
        for offset in ACPITable.headerSize..<max(code.count, ACPITable.headerSize)
        where code.little32(at: offset) == state.rawValue {
            let isName =
                code.byte(at: offset - 1) == Opcode.name
                || (code.byte(at: offset - 1) == Opcode.root && code.byte(at: offset - 2) == Opcode.name)
            guard isName, let found = Self.package(code, at: offset + 4) else { continue }
            self = found
            return
        }
        return nil
    }

    private static func package(_ code: Span<UInt8>, at start: Int) -> SleepPackage? {
        guard code.byte(at: start) == Opcode.package, let lead = code.byte(at: start + 1) else { return nil }
        // The package's length takes one byte and as many more as the lead's top two bits say.
        var offset = start + 2 + Int(lead >> 6)
        guard let count = code.byte(at: offset), count >= 1 else { return nil }
        offset += 1
        guard let first = integer(code, &offset) else { return nil }
        let second = count >= 2 ? integer(code, &offset) ?? 0 : 0
        return SleepPackage(typeA: first & 7, typeB: second & 7)
    }

    private static func integer(_ code: Span<UInt8>, _ offset: inout Int) -> UInt8? {
        guard let opcode = code.byte(at: offset) else { return nil }
        let operandSize: Int
        switch opcode {
        case Opcode.zero, Opcode.one:
            offset += 1
            return opcode
        case Opcode.byte: operandSize = 1
        case Opcode.word: operandSize = 2
        case Opcode.double: operandSize = 4
        default: return nil
        }
        let value = code.byte(at: offset + 1)
        offset += 1 + operandSize
        return value
    }
}
