// Which simulated CPU the calling host thread plays.

import Glibc

enum SimulatedThread {
    /// A POSIX thread-specific key, made once.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        unsafe pthread_key_create(&key) { unsafe Unmanaged<SimulatedCPU>.fromOpaque($0!).release() }
        return key
    }()

    static var cpu: SimulatedCPU? {
        get {
            guard let raw = unsafe pthread_getspecific(key) else { return nil }
            return unsafe Unmanaged<SimulatedCPU>.fromOpaque(raw).takeUnretainedValue()
        }
        set {
            let old = unsafe pthread_getspecific(key)
            let raw = unsafe newValue.map { unsafe Unmanaged.passRetained($0).toOpaque() }
            unsafe pthread_setspecific(key, raw)
            if let old = unsafe old { unsafe Unmanaged<SimulatedCPU>.fromOpaque(old).release() }
        }
    }
}
