// The device files that belong to no driver: memory's (`/dev/null`, ...) and the kernel log's.

public enum DeviceFiles {
    /// Registers all of them. Boot only, before `/dev` is mounted.
    public static func registerAll() {
        MemoryDeviceDriver.registerAll()
        KernelLogDriver.register()
    }
}
