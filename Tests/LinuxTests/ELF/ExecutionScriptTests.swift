import Primitives
import Testing

@testable import Linux

@Suite struct ExecutionScriptTests {
    func script(_ text: String) throws -> (String, String?)? {
        try ExecutionScript(Array(text.utf8).span).map {
            (
                String(decoding: $0.interpreter, as: UTF8.self),
                $0.argument.map { String(decoding: $0, as: UTF8.self) }
            )
        }
    }

    @Test func readsTheFirstLine() throws {
        #expect(try script("#!/bin/sh\necho")! == ("/bin/sh", nil))
        #expect(try script("#! \t/bin/sh \t-e  -x \t\nrest")! == ("/bin/sh", "-e  -x"))
        #expect(try script("#!/bin/sh")! == ("/bin/sh", nil))
        #expect(try script("#!a b")! == ("a", "b"))
    }

    @Test func leavesOtherFilesAlone() throws {
        #expect(try script("") == nil)
        #expect(try script("#") == nil)
        #expect(try script("echo #!/bin/sh\n") == nil)
    }

    @Test(arguments: ["#!", "#!\n", "#! \t \n/bin/sh"]) func refusesLinesWithoutName(_ text: String) {
        #expect(throws: Errno.notExecutable) { try script(text) }
    }

    @Test func refusesNamesThatMayBeCut() throws {
        let long = "#!/" + String(repeating: "x", count: 253)
        #expect(long.utf8.count == ExecutionScript.lineLimit)
        #expect(throws: Errno.notExecutable) { try script(long) }
        // An argument may be cut, as on Linux.
        let cut = "#!/bin/sh " + String(repeating: "y", count: 246)
        #expect(try script(cut)!.1!.utf8.count == 246)
    }
}
