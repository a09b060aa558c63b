// The checks of the linked kernel find what they are there for.
import Testing

@testable import Tool

@Suite struct KernelChecksTests {
    @Test(arguments: [
        "movaps %xmm0, (%rdi)", "vpxor %ymm1, %ymm1, %ymm1", "vmovdqu64 %zmm3, (%rax)", "movq %mm0, %rax",
        "fldl (%rax)", "fld1", "fmul %st(1), %st", "kmovq %k1, %rax", "fwait",
    ])
    func floatingPointIsFound(instruction: String) {
        #expect(InstructionScan.usesFloatingPoint(instruction))
    }

    @Test(arguments: [
        "movq %rax, %rbx", "fxsave64 (%rdi)", "fxrstor64 (%rdi)", "xsaveopt64 (%rdi)", "xrstor64 (%rdi)",
        "fninit",
        "ldmxcsr (%rsp)", "movq %fs:0, %rax", "callq 0x400000201000 <kernel_start>", "stmxcsr 4(%rsp)",
        "movq %cr0, %rax",
    ])
    func otherInstructionsAreNot(instruction: String) {
        #expect(!InstructionScan.usesFloatingPoint(instruction))
    }

    @Test func theFunctionIsNamed() {
        var scan = InstructionScan()
        let disassembly = """

            build/apus.elf:\tfile format elf64-x86-64

            Disassembly of section .text:

            0000400000200000 <apus_start>:
            400000200000:      \tcli
            400000200001:      \tmovups\t%xmm0, (%rdi)   # comment

            0000400000200010 <other>:
            400000200010:      \tretq
            """
        for line in disassembly.split(separator: "\n") { scan.take(String(line)) }
        #expect(scan.instructions == 3)
        #expect(scan.violations == ["movups %xmm0, (%rdi)   in apus_start"])
    }

    @Test func writableAndExecutableSegmentsAreFound() throws {
        let good = try ElfFile(ElfImage(segmentFlags: [5, 4, 6]).bytes())
        #expect(KernelChecks.segmentViolations(good.segments).isEmpty)
        let bad = try ElfFile(ElfImage(segmentFlags: [5, 7]).bytes())
        #expect(
            KernelChecks.segmentViolations(bad.segments) == [
                "the segment at 0x1000 is writable and executable"
            ])
    }
}
