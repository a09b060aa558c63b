// Gates and segment descriptors against bytes worked out from the processor manual.

import Machine
import Testing

@Suite struct GateDescriptorTests {
    private func bytes(_ gate: GateDescriptor) -> [UInt8] {
        let (low, high) = gate.encoded
        return [low, high].flatMap { word in (0..<8).map { UInt8(word >> UInt64($0 * 8) & 0xff) } }
    }

    @Test func interruptGateBytes() throws {
        let gate = try GateDescriptor(offset: 0x1122_3344_5566_7788, segment: 0x10, ist: 3, dpl: 0)
        #expect(
            bytes(gate) == [
                0x88, 0x77,  // offset 15:0
                0x10, 0x00,  // segment
                0x03,  // IST
                0x8e,  // present, DPL 0, interrupt gate
                0x66, 0x55,  // offset 31:16
                0x44, 0x33, 0x22, 0x11,  // offset 63:32
                0, 0, 0, 0,
            ])
    }

    @Test func trapGateForUserPrograms() throws {
        let gate = try GateDescriptor(offset: 0x4000_0020_1230, type: .trap, dpl: 3)
        #expect(bytes(gate) == [0x30, 0x12, 0x10, 0, 0, 0xef, 0x20, 0, 0, 0x40, 0, 0, 0, 0, 0, 0])
    }

    @Test func decodingIsTheInverse() throws {
        for ist in UInt8(0)..<8 {
            for dpl in UInt8(0)..<4 {
                for type in [GateType.interrupt, .trap] {
                    let gate = try GateDescriptor(
                        offset: 0xfedc_ba98_7654_3210, segment: 0xfff8, type: type, ist: ist, dpl: dpl)
                    let (low, high) = gate.encoded
                    #expect(GateDescriptor(low: low, high: high) == gate)
                }
            }
        }
    }

    @Test func everyBitHasItsPlace() {
        for bit in 0..<128 {
            let low: UInt64 = bit < 64 ? 1 << UInt64(bit) : 0
            let high: UInt64 = bit < 64 ? 0 : 1 << UInt64(bit - 64)
            let (low2, high2) = GateDescriptor(low: low, high: high).encoded
            #expect(low == low2)
            #expect(high == high2)
        }
    }

    @Test func gatesThatLongModeForbids() {
        #expect(throws: GateError.typeNotAllowedInLongMode(.call)) {
            try GateDescriptor(offset: 0, type: .call)
        }
        #expect(throws: GateError.typeNotAllowedInLongMode(.task)) {
            try GateDescriptor(offset: 0, type: .task)
        }
        #expect(throws: GateError.stackOutOfRange(8)) { try GateDescriptor(offset: 0, ist: 8) }
        #expect(throws: GateError.privilegeOutOfRange(4)) { try GateDescriptor(offset: 0, dpl: 4) }
    }

    @Test func segmentDescriptors() {
        #expect(SegmentDescriptor.kernelCode.encoded == 0x00af_9b00_0000_ffff)
        #expect(SegmentDescriptor.kernelData.encoded == 0x00cf_9300_0000_ffff)
        #expect(SegmentDescriptor.user32Code.encoded == 0x00cf_fb00_0000_ffff)
        #expect(SegmentDescriptor.userData.encoded == 0x00cf_f300_0000_ffff)
        #expect(SegmentDescriptor.userCode.encoded == 0x00af_fb00_0000_ffff)
        #expect(SegmentDescriptor.cpuNumber(0x2a).encoded == 0x0040_f100_0000_002a)
        let tss = SegmentDescriptor.taskState(base: 0x0000_4000_1234_5678, limit: 103)
        #expect(tss.low == 0x1200_8934_5678_0067)
        #expect(tss.high == 0x4000)
    }

    @Test func selectorsSuitSYSRET() {
        #expect(SegmentSelector.kernelData == SegmentSelector.kernelCode + 8)
        #expect(SegmentSelector.userData == SegmentSelector.user32Code + 8)
        #expect(SegmentSelector.userCode == SegmentSelector.user32Code + 16)
    }
}
