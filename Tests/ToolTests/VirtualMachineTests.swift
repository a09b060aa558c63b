// QEMU's command line and exit status.
import Testing

@testable import Tool

@Suite struct VirtualMachineTests {
    private func argument(after name: String, of machine: VirtualMachine) -> String? {
        let arguments = machine.arguments
        return arguments.firstIndex(of: name).map { arguments[$0 + 1] }
    }

    @Test func theCommandLineOfTheKernel() {
        var machine = VirtualMachine()
        #expect(argument(after: "-append", of: machine) == "console=ttyS0")
        machine.append = "quiet init=/bin/sh"
        #expect(argument(after: "-append", of: machine) == "console=ttyS0 quiet init=/bin/sh")
    }

    @Test func aRamdiskIsOptional() {
        var machine = VirtualMachine()
        #expect(!machine.arguments.contains("-initrd"))
        machine.ramdisk = "a.cpio"
        #expect(argument(after: "-initrd", of: machine) == "a.cpio")
    }

    @Test func countingInstructionsTakesOneThread() {
        var machine = VirtualMachine()
        #expect(argument(after: "-accel", of: machine) == "tcg,thread=multi")
        machine.countsInstructions = true
        #expect(argument(after: "-accel", of: machine) == "tcg,thread=single")
        #expect(argument(after: "-icount", of: machine) == "shift=0,sleep=off")
    }

    @Test(arguments: [(0, 0), (1, 1), (42, 42), (61, 61)])
    func initsStatusComesThrough(status: Int, code: Int32) {
        let emulator = ((0x40 + status) << 1 | 1) & 0xFF
        let guest = GuestStatus(emulatorStatus: emulator)
        #expect(guest == .exited(status))
        #expect(guest.exitCode == code)
    }

    @Test func otherEndings() {
        #expect(GuestStatus(emulatorStatus: 0) == .poweredOff)
        #expect(GuestStatus(emulatorStatus: ((0x40 + 62) << 1 | 1) & 0xFF) == .panicked)
        #expect(GuestStatus(emulatorStatus: 1) == .emulatorFailed(1))
        #expect(GuestStatus(.signaled(9)) == .killed(9))
        #expect(GuestStatus.panicked.exitCode == 62)
    }
}

@Suite struct BootBenchTests {
    @Test func theConsoleIsRead() throws {
        let console = "[ 0.1] apus: boot: entry TSC=4000 init TSC=90\nbench: init TSC=12345 boottime=678\n"
        let reading = try #require(BootBench.Reading(console: console))
        #expect(reading.atEntry == 4000)
        #expect(reading.atInit == 12345)
        #expect(reading.bootTime == 678)
        #expect(BootBench.Reading(console: "apus: panic") == nil)
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_706_005_040, "1,706,005,040")])
    func numbersAreGrouped(number: Int, text: String) {
        #expect(BootBench.grouped(number) == text)
    }
}

@Suite struct MemoryFitTests {
    @Test(arguments: [("256", 256 << 20), ("1G", 1 << 30), ("512m", 512 << 20), ("640K", 640 << 10)])
    func sizes(text: String, bytes: Int) {
        #expect(MemoryFit.bytes(text) == bytes)
    }

    @Test func theImageEndsAfterItsLastSegment() {
        let text = ElfFile.Segment(
            type: ElfFile.Segment.load, flags: 5, address: 0, physicalAddress: 0x20_0000, memorySize: 0x1000)
        var data = text
        data.physicalAddress = 0x30_0000
        #expect(MemoryFit.imageEnd([data, text]) == 0x30_1000)
        #expect(MemoryFit.imageEnd([]) == 0)
    }
}
