// `#expect` captures what it is about, which a wheel that cannot be copied does not allow.

import Testing

/// Records an issue unless the condition holds.
func check(
    _ condition: Bool, _ comment: @autoclosure () -> String = "a check failed",
    at location: SourceLocation = #_sourceLocation
) {
    if !condition { Issue.record("\(comment())", sourceLocation: location) }
}
