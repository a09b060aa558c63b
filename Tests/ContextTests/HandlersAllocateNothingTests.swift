// The compiler does not see through the indirect calls of handlers, so `@_noAllocation` on the entry code does not reach
// them: whatever a handler calls must say so itself. This looks at the sources of the kernel for the closures that are
// given to lines, vectors and non-critical handlers, and for the hooks that top halves call.

import Foundation
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite struct HandlersAllocateNothingTests {
    /// The kernel's sources by path, but for its tests and the simulated machine.
    private static let sources: [String: String] = {
        let directory = root.appending(path: "Sources")
        var result: [String: String] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: directory.path) ?? .init() {
            guard path.hasSuffix(".swift"),
                !["KernelTests/", "Tool", "Machine/Simulated/"].contains(where: path.hasPrefix)
            else { continue }
            result[path] = try? String(contentsOf: directory.appending(path: path), encoding: .utf8)
        }
        return result
    }()

    /// What a closure is given to, up to its brace.
    private static let openings = [
        #"VectorHandler \{"#, #"IRQHandler\((?:[^{}]|\n)*?\) \{"#,
        #"= NonCriticalHandler(?:\([^{}]*\))? \{"#, #"IRQThreadHook\.wake = \{"#,
        #"HighResolutionTimer\((?:[^{}]|\n)*?\) \{"#, #"HighResolutionTimer \{"#,
        #"TaskHooks\.sendReschedule = \{"#, #"TaskHooks\.sliceEndChanged = \{"#, #"TimeHooks\.setEvent = \{"#,
    ]

    /// The text from behind an opening brace to its closing one.
    private static func body(_ text: Substring) -> Substring {
        var depth = 1
        let end = text.firstIndex { character in
            if character == "{" { depth += 1 }
            if character == "}" { depth -= 1 }
            return depth == 0
        }
        return text[..<(end ?? text.endIndex)]
    }

    /// A function that a closure calls: in which file, with which type in front of it, if any.
    struct Call {
        let file: String
        let type: String?
        let name: String
    }

    private static func calls() throws -> [Call] {
        let call = /(?:([A-Z]\w*)\.)?\b([a-z]\w+)\(/.wordBoundaryKind(.simple)
        var result: [Call] = []
        for (path, text) in sources {
            for opening in openings {
                for match in text.matches(of: try Regex(opening)) {
                    let closure = body(text[match.range.upperBound...])
                    for call in closure.matches(of: call) {
                        result.append(
                            Call(
                                file: path, type: call.output.1.map(String.init), name: String(call.output.2))
                        )
                    }
                }
            }
        }
        return result
    }

    /// Whether the function is declared with one of the attributes.
    private static func isMarked(_ call: Call) throws -> Bool {
        let attributes = #"(@_noAllocation|no_performance_analysis)[^\n]*\n?(?:[^\n]*@[^\n]*\n)*"#
        let declaration = try Regex(attributes + #"[^\n]*func "# + call.name + #"\("#)
        // Called without a type or with `Self`, it is in the same file.
        let owner = try call.type.map { try Regex(#"(enum|struct|class|extension) "# + $0 + #"[ :<]"#) }
        return sources.contains { path, text in
            if path != call.file {
                guard let owner, call.type != "Self", text.firstMatch(of: owner) != nil else { return false }
            }
            return text.firstMatch(of: declaration) != nil
        }
    }

    @Test func thereAreHandlers() throws {
        let files = Set(try Self.calls().map(\.file))
        for part in ["Serial", "Virtio", "InterprocessorInterrupts", "LocalTimer", "ThreadedIRQ"] {
            #expect(files.contains { $0.contains(part) }, "no handler seen in \(part)")
        }
    }

    @Test func whatHandlersCallIsMarked() throws {
        for call in try Self.calls() {
            let name = (call.type.map { $0 + "." } ?? "") + call.name
            #expect(
                try Self.isMarked(call), "\(call.file): a handler calls \(name), which lacks @_noAllocation")
        }
    }
}
