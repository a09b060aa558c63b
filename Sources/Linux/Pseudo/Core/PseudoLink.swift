// A symbolic link that is made up when followed.

import Primitives

/// A link whose target a function says.
final class PseudoLink: PseudoInode, @unchecked Sendable {
    typealias Target = @Sendable (borrowing TaskContext) throws(Errno) -> LinkTarget
    private let target: Target

    init(
        _ fileSystem: FileSystem, number: UInt64, permissions: UInt32 = 0o777, userID: UInt32 = 0,
        groupID: UInt32 = 0, target: @escaping Target
    ) {
        self.target = target
        super.init(
            fileSystem, number: number, mode: FileMode(.symbolicLink, permissions), userID: userID,
            groupID: groupID)
    }

    override func readLink(_ task: borrowing TaskContext) throws(Errno) -> LinkTarget { try target(task) }
}
