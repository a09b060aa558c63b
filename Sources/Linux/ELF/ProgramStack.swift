// Filling the stack of a new program: strings, vectors, auxiliary vector.

import Machine
import Memory
import Primitives
import Tasks

extension ProgramImage {
    /// Writes everything to the stack of this image, whose space the running thread uses; returns where what lies.
    func fillStack(
        _ arguments: borrowing ArgumentBuffer, _ environment: borrowing ArgumentBuffer, name: [UInt8],
        _ credentials: Credentials, isSecure: Bool, _ task: borrowing TaskContext
    ) throws(Errno) -> InitialStack {
        guard
            let stack = InitialStack(
                top: stackTop, argumentCount: arguments.stringCount,
                environmentCount: environment.stringCount, argumentSize: arguments.count,
                environmentSize: environment.count, executedNameSize: UInt(name.count + 1),
                auxiliaryCount: Self.auxiliaryCount)
        else { throw .argumentListTooLong }
        try arguments.write(to: stack.argumentStrings, task)
        try environment.write(to: stack.environmentStrings, task)
        try UserMemory.copyOut(name.span, to: stack.executedName, task)
        try UserMemory.copyOut(SystemCalls.bytes(InitialStack.platform).span, to: stack.platform, task)
        for index in 0..<2 {
            try SystemCalls.store(Randomness.word(), to: stack.random &+ UInt(index * 8), task)
        }
        var writer = StackWriter(stack.pointer)
        try writer.put(UInt(stack.argumentCount), task)
        try writer.put(pointersTo: arguments, at: stack.argumentStrings, task)
        try writer.put(pointersTo: environment, at: stack.environmentStrings, task)
        try putAuxiliaryVector(&writer, stack, credentials, isSecure: isSecure, task)
        try writer.flush(task)
        return stack
    }

    private static let auxiliaryCount = 20

    private func putAuxiliaryVector(
        _ writer: inout StackWriter, _ stack: InitialStack, _ credentials: Credentials, isSecure: Bool,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        try writer.put(
            .minimumSignalStack, UInt(ExtendedState.frameSize) + SignalFramePlace.frameSize + 64 + 16, task)
        try writer.put(.hardware, UInt(HardwareCapabilities.first), task)
        try writer.put(.pageSize, pageSize, task)
        try writer.put(.clockTicks, 100, task)
        try writer.put(.programHeaders, programHeaders, task)
        try writer.put(.programHeaderSize, UInt(ElfHeader.programHeaderSize), task)
        try writer.put(.programHeaderCount, UInt(programHeaderCount), task)
        try writer.put(.base, base, task)
        try writer.put(.flags, 0, task)
        try writer.put(.entry, entry, task)
        try writer.put(.user, UInt(credentials.userID), task)
        try writer.put(.effectiveUser, UInt(credentials.effectiveUserID), task)
        try writer.put(.group, UInt(credentials.groupID), task)
        try writer.put(.effectiveGroup, UInt(credentials.effectiveGroupID), task)
        try writer.put(.secure, isSecure ? 1 : 0, task)
        try writer.put(.random, stack.random, task)
        try writer.put(.hardware2, UInt(HardwareCapabilities.second), task)
        try writer.put(.executedName, stack.executedName, task)
        try writer.put(.platform, stack.platform, task)
        try writer.put(.null, 0, task)
    }
}

/// Writes words upwards, some at a time.
private struct StackWriter {
    private var address: UInt
    private var words = InlineArray<32, UInt>(repeating: 0)
    private var count = 0

    init(_ address: UInt) { self.address = address }

    mutating func put(_ word: UInt, _ task: borrowing TaskContext) throws(Errno) {
        words[count] = word
        count += 1
        if count == 32 { try flush(task) }
    }

    mutating func put(_ key: AuxiliaryKey, _ value: UInt, _ task: borrowing TaskContext) throws(Errno) {
        try put(key.rawValue, task)
        try put(value, task)
    }

    /// The addresses of strings that lie one behind the other from `start` on, and a null pointer.
    mutating func put(
        pointersTo strings: borrowing ArgumentBuffer, at start: UInt, _ task: borrowing TaskContext
    ) throws(Errno) {
        var isFirst = true
        for index in 0..<strings.count {
            if isFirst { try put(start &+ index, task) }
            isFirst = strings.byte(at: index) == 0
        }
        try put(0, task)
    }

    mutating func flush(_ task: borrowing TaskContext) throws(Errno) {
        for index in 0..<count { try SystemCalls.store(words[index], to: address &+ UInt(index * 8), task) }
        address &+= UInt(count * 8)
        count = 0
    }
}

/// What the processor tells programs about itself.
enum HardwareCapabilities {
    /// AT_HWCAP: CPUID leaf 1, EDX.
    static var first: UInt32 { CPUID.leafIfPresent(1).edx }
    /// AT_HWCAP2: ring-3 MWAIT (no), FSGSBASE if programs may use it.
    static var second: UInt32 { SegmentBases.programsMaySet ? 2 : 0 }
}
