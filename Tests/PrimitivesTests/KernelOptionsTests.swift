import Primitives
import Testing

@Suite struct KernelOptionsTests {
    private func options(_ text: String) throws -> KernelOptions {
        try KernelOptions(CommandLine(Array(text.utf8)))
    }
    private func text(_ words: [[UInt8]]) -> [String] { words.map { String(decoding: $0, as: UTF8.self) } }

    @Test func defaults() throws {
        let options = try options("")
        #expect(options.maximumCPUs == .max && options.panicTimeout == 0 && options.initPath == nil)
        #expect(options.tests == nil && !options.benchBoot && options.consoleLevel == 7)
    }

    @Test func knownWords() throws {
        let options = try options(
            "console=tty0 console=ttyS0,115200n8 maxcpus=3 panic=-1 init=/bin/sh quiet apus.test=mem apus.bench=boot apus.only=x"
        )
        #expect(options.console == Array("ttyS0".utf8))
        #expect(options.maximumCPUs == 3 && options.panicTimeout == -1 && options.consoleLevel == 4)
        #expect(options.initPath == Array("/bin/sh".utf8))
        #expect(options.tests == Array("mem".utf8) && options.benchBoot)
        #expect(options.unknown.isEmpty)
        #expect(try self.options("nosmp").maximumCPUs == 1)
        #expect(try self.options("maxcpus=0").maximumCPUs == 1)
        #expect(try self.options("apus.test=1").tests == [])
        #expect(try self.options("apus.test").tests == [])
    }

    @Test func unknownWordsGoToInit() throws {
        let options = try options("HOME=/x single foo.bar=1 nohz=on -- -x")
        #expect(text(options.initEnvironment) == ["HOME=/x"])
        #expect(text(options.initArguments) == ["single", "-x"])
        #expect(text(options.unknown) == ["HOME=/x", "single", "foo.bar=1"])
    }

    @Test(arguments: [
        "maxcpus", "maxcpus=", "maxcpus=abc", "maxcpus=-1", "maxcpus=99999999999999999999", "panic=x",
        "panic=",
        "loglevel=99", "init=", "init=relative", "console=", "panic=--1",
    ])
    func badValues(word: String) {
        #expect(throws: KernelOptions.Failure.badValue(Array(word.utf8))) { try options(word) }
    }

    @Test func unknownWordsOfOurOwn() {
        #expect(throws: KernelOptions.Failure.unknown(Array("apus.tset=1".utf8))) {
            try options("apus.tset=1")
        }
        #expect(throws: KernelOptions.Failure.unknown(Array("apus.benches=x".utf8))) {
            try options("apus.benches=x")
        }
    }
}
