// The user-mode registers of the running thread: read, copied, replaced. Each turns interrupts off, since
// a switch in between would save or load them.

import Machine
import Primitives

extension UserState {
    @inline(__always)
    private static func withLocal<R>(_ body: (UnsafeMutablePointer<UserState>) -> R) -> R {
        withInterruptsOff { _ in
            unsafe TaskState.current.pointee.queues.withRemote(CPU.index) { queue in
                // This CPU's own, and interrupts are off.
                unsafe body(queue.userState.address)
            }
        }
    }

    /// Gives a new thread copies of the running thread's registers; initial ones if that has none.
    static func copyCurrent(to child: ThreadStorage.Pointer) {
        let parent = unsafe Thread.currentStorage
        guard let target = unsafe child.pointee.fpuImage else { return }
        guard unsafe parent.pointee.isUser else { return unsafe FPU.initialize(target) }
        unsafe withLocal { _ in
            // Nobody else knows the child's image, which has the head that every image has.
            unsafe FPU.save(to: target)
            unsafe parent.pointee.bases.save()
        }
        unsafe child.pointee.bases = parent.pointee.bases
    }

    /// Gives the running thread the registers a new program starts with.
    static func startFresh(_ storage: ThreadStorage.Pointer) {
        guard let image = unsafe storage.pointee.fpuImage else { return }
        unsafe withLocal { loaded in
            unsafe storage.pointee.isUser = true
            unsafe FPU.initialize(image)
            unsafe storage.pointee.fpuCPU = .max
            unsafe storage.pointee.bases = SegmentBases()
            unsafe loaded.pointee.load(storage)
        }
    }

    static func currentBases(_ storage: ThreadStorage.Pointer) -> SegmentBases {
        unsafe withLocal { _ in
            unsafe storage.pointee.bases.save()
            return unsafe storage.pointee.bases
        }
    }

    static func setCurrentBases(_ storage: ThreadStorage.Pointer, _ bases: SegmentBases) {
        unsafe withLocal { loaded in
            unsafe storage.pointee.bases = bases
            unsafe bases.load(over: loaded.pointee.bases)
            unsafe loaded.pointee.bases = bases
        }
    }
}
