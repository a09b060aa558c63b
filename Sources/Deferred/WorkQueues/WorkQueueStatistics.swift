// What work queues and pools have done and have to do, for tables.

import Primitives
import Synchronization
import Tasks

extension WorkQueues {
    /// One queue, summed over its parts.
    public struct QueueStatistics: Sendable {
        public let name: StaticString
        public let flags: WorkQueue.Flags
        public let maxActive: Int
        /// Works that ran to their end, and of these those run by the rescuer.
        public fileprivate(set) var done: UInt64 = 0
        public fileprivate(set) var rescued: UInt64 = 0
        /// Works at the pools, waiting or running, and works that wait in the queue for others of it to end.
        public fileprivate(set) var active = 0
        public fileprivate(set) var inactive = 0
    }

    /// One pool of workers.
    public struct PoolStatistics: Sendable {
        /// Nil: bound to none.
        public let cpu: Int?
        public let nice: Int
        public let workers: Int
        public let idle: Int
        /// Whether works wait for a worker.
        public let hasWorks: Bool
        /// Names of the works that run.
        public let running: [StaticString]
    }

    /// All queues, oldest first. Task context; figures of the moment.
    public static var queues: [QueueStatistics] {
        unsafe DeferredState.current.pointee.workQueues.all.map { queue in
            var result = QueueStatistics(name: queue.name, flags: queue.flags, maxActive: queue.maxActive)
            unsafe queue.core.pointee.forEachLink { link, _ in
                unsafe result.done &+= link.pointee.done
                unsafe result.rescued &+= link.pointee.rescued
                unsafe result.active &+= link.pointee.active
                unsafe result.inactive &+= link.pointee.inactiveCount
            }
            return result
        }
    }

    /// All pools: those of each CPU, then the unbound ones. Task context; figures of the moment.
    public static var pools: [PoolStatistics] {
        let pools = unsafe DeferredState.current.pointee.pools
        return unsafe (0..<pools.count).map { unsafe statistics(of: pools.pool($0)) }
    }

    private static func statistics(of pool: WorkerPool.Pointer) -> PoolStatistics {
        // Room for the names is made before the lock is taken.
        var running: [StaticString] = []
        running.reserveCapacity(64)
        return unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            unsafe WorkerPool.forEachRunning(&state) { if running.count < 64 { running.append($0) } }
            return unsafe PoolStatistics(
                cpu: pool.pointee.isBound ? pool.pointee.cpu : nil, nice: pool.pointee.nice,
                workers: state.workerCount, idle: state.idleCount, hasWorks: !state.works.isEmpty,
                running: running)
        }
    }
}
