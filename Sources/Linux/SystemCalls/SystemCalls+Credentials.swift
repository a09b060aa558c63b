// Changing who one is: the set*uid and set*gid families. An identity of -1 means "leave it".

import Primitives

extension SystemCalls {
    private static let unchanged = UInt32.max

    static func setuid(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let user = arguments.a0.asUInt32
        let now = LinuxTask.current.credentials
        guard user != unchanged else { throw .invalid }
        guard now.has(.setUserID) || user == now.userID || user == now.savedUserID else {
            throw .notPermitted
        }
        LinuxTask.current.changeUser {
            if now.has(.setUserID) {
                $0.userID = user
                $0.savedUserID = user
            }
            $0.effectiveUserID = user
            $0.fileUserID = user
        }
        return 0
    }

    static func setgid(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let group = arguments.a0.asUInt32
        let now = LinuxTask.current.credentials
        guard group != unchanged else { throw .invalid }
        guard now.has(.setGroupID) || group == now.groupID || group == now.savedGroupID else {
            throw .notPermitted
        }
        LinuxTask.current.change {
            if now.has(.setGroupID) {
                $0.groupID = group
                $0.savedGroupID = group
            }
            $0.effectiveGroupID = group
            $0.fileGroupID = group
        }
        return 0
    }

    static func setreuid(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let (real, effective) = (arguments.a0.asUInt32, arguments.a1.asUInt32)
        let now = LinuxTask.current.credentials
        if !now.has(.setUserID) {
            let realAllowed = real == unchanged || real == now.userID || real == now.effectiveUserID
            let effectiveAllowed =
                effective == unchanged || effective == now.userID || effective == now.effectiveUserID
                || effective == now.savedUserID
            guard realAllowed, effectiveAllowed else { throw .notPermitted }
        }
        LinuxTask.current.changeUser {
            if real != unchanged { $0.userID = real }
            if effective != unchanged { $0.effectiveUserID = effective }
            if real != unchanged || (effective != unchanged && effective != now.userID) {
                $0.savedUserID = $0.effectiveUserID
            }
            $0.fileUserID = $0.effectiveUserID
        }
        return 0
    }

    static func setregid(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let (real, effective) = (arguments.a0.asUInt32, arguments.a1.asUInt32)
        let now = LinuxTask.current.credentials
        if !now.has(.setGroupID) {
            let realAllowed = real == unchanged || real == now.groupID || real == now.effectiveGroupID
            let effectiveAllowed =
                effective == unchanged || effective == now.groupID || effective == now.effectiveGroupID
                || effective == now.savedGroupID
            guard realAllowed, effectiveAllowed else { throw .notPermitted }
        }
        LinuxTask.current.change {
            if real != unchanged { $0.groupID = real }
            if effective != unchanged { $0.effectiveGroupID = effective }
            if real != unchanged || (effective != unchanged && effective != now.groupID) {
                $0.savedGroupID = $0.effectiveGroupID
            }
            $0.fileGroupID = $0.effectiveGroupID
        }
        return 0
    }

    static func setresuid(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let now = LinuxTask.current.credentials
        let (real, effective, saved) = (arguments.a0.asUInt32, arguments.a1.asUInt32, arguments.a2.asUInt32)
        for user in [real, effective, saved] where user != unchanged && !now.has(.setUserID) {
            guard user == now.userID || user == now.effectiveUserID || user == now.savedUserID else {
                throw .notPermitted
            }
        }
        LinuxTask.current.changeUser {
            if real != unchanged { $0.userID = real }
            if effective != unchanged { $0.effectiveUserID = effective }
            if saved != unchanged { $0.savedUserID = saved }
            $0.fileUserID = $0.effectiveUserID
        }
        return 0
    }

    static func setresgid(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let now = LinuxTask.current.credentials
        let (real, effective, saved) = (arguments.a0.asUInt32, arguments.a1.asUInt32, arguments.a2.asUInt32)
        for group in [real, effective, saved] where group != unchanged && !now.has(.setGroupID) {
            guard group == now.groupID || group == now.effectiveGroupID || group == now.savedGroupID else {
                throw .notPermitted
            }
        }
        LinuxTask.current.change {
            if real != unchanged { $0.groupID = real }
            if effective != unchanged { $0.effectiveGroupID = effective }
            if saved != unchanged { $0.savedGroupID = saved }
            $0.fileGroupID = $0.effectiveGroupID
        }
        return 0
    }

    /// Never fails: answers with the identity before, changed or not.
    static func setfsuid(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let user = arguments.a0.asUInt32
        let now = LinuxTask.current.credentials
        let allowed =
            user == now.userID || user == now.effectiveUserID || user == now.savedUserID
            || user == now.fileUserID || now.has(.setUserID)
        if user != unchanged, allowed { LinuxTask.current.changeUser { $0.fileUserID = user } }
        return Int(now.fileUserID)
    }

    static func setfsgid(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let group = arguments.a0.asUInt32
        let now = LinuxTask.current.credentials
        let allowed =
            group == now.groupID || group == now.effectiveGroupID || group == now.savedGroupID
            || group == now.fileGroupID || now.has(.setGroupID)
        if group != unchanged, allowed { LinuxTask.current.change { $0.fileGroupID = group } }
        return Int(now.fileGroupID)
    }
}
