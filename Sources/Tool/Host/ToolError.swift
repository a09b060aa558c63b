// The one error that ends a command: a sentence for the user, and how it ends the program.

/// A failure that is told to the user as it is; the program then exits with status 1.
struct ToolError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
