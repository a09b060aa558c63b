// swift-tools-version: 6.2
import PackageDescription

// One package, two machines. `APUS_MACHINE=X86` builds the kernel with Embedded Swift for
// x86_64-unknown-none-elf; without it the same rooms are built for the host on the simulated
// machine, with the tests and the host tool beside them. `./apus` sets it; nobody else need to. `APUS_DEBUG=locks`
// builds the watch over locks into the kernel (Sources/Primitives/Lockdep).
let isKernel = Context.environment["APUS_MACHINE"] == "X86"
let machine = isKernel ? "X86" : "Simulated"
let otherMachine = isKernel ? "Simulated" : "X86"

let watchesLocks = isKernel && Context.environment["APUS_DEBUG"] == "locks"

let languageSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),
    .enableExperimentalFeature("Extern"),
    .enableExperimentalFeature("Volatile"),
    .enableExperimentalFeature("RawLayout"),
]

let roomSettings: [SwiftSetting] =
    isKernel
    ? languageSettings + [
        .enableExperimentalFeature("Embedded"),
        .define("APUS_KERNEL"),
        .unsafeFlags([
            "-wmo",
            "-Xfrontend", "-disable-stack-protector",
            "-Xcc", "-mno-red-zone", "-Xcc", "-mno-sse", "-Xcc", "-mno-mmx",
            "-Xcc", "-mno-implicit-float", "-Xcc", "-ffreestanding", "-Xcc", "-D__APUS_KERNEL__",
            "-enforce-exclusivity=unchecked",
        ]),
    ] + (watchesLocks ? [.define("APUS_DEBUG_LOCKS")] : [])
    : languageSettings + [
        // Unoptimised code calls generics unspecialised, which `@_noAllocation` refuses: the kernel's build checks it.
        .unsafeFlags(["-Xllvm", "-sil-disable-pass=performance-diagnostics"])
    ]

let kernelCSettings: [CSetting] =
    isKernel
    ? [
        .unsafeFlags([
            "-D__APUS_KERNEL__", "-fpie", "-ffreestanding", "-mno-red-zone", "-mno-sse", "-mno-mmx",
            "-mno-implicit-float",
            "-fno-stack-protector", "-fno-omit-frame-pointer", "-Wall", "-Werror",
        ])
    ] : [.unsafeFlags(["-Wall", "-Werror"])]

/// A room of the house: a module that knows only the rooms named in `above`.
func room(_ name: String, above: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: above, swiftSettings: roomSettings)
}

var targets: [Target] = [
    .target(
        name: "CMachine", path: "Sources/CMachine",
        exclude: [otherMachine],
        cSettings: kernelCSettings),
    .target(
        name: "Machine", dependencies: ["CMachine"], path: "Sources/Machine",
        exclude: [otherMachine],
        swiftSettings: roomSettings),
    // A library of its own, for any Swift program; the kernel's timers use it too.
    .target(name: "TimerWheel", swiftSettings: isKernel ? roomSettings : languageSettings),
    room("Primitives", above: ["Machine"]),
    room("Memory", above: ["Machine", "Primitives"]),
    room("Interrupts", above: ["Machine", "Primitives", "Memory"]),
    room("Tasks", above: ["Machine", "Primitives", "Memory", "Interrupts"]),
    room("CrossCPU", above: ["Machine", "Primitives", "Memory", "Interrupts", "Tasks"]),
    room(
        "Deferred", above: ["CMachine", "Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU"]),
    room(
        "Time",
        above: [
            "TimerWheel", "Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU", "Deferred",
        ]),
    room(
        "Devices",
        above: [
            "Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU", "Deferred",
            "Time",
        ]),
    room(
        "Linux",
        above: [
            "Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU", "Deferred",
            "Time", "Devices",
        ]),
]

if isKernel {
    targets.append(
        room(
            "KernelTests",
            above: [
                "Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU", "Deferred",
                "Time", "Devices", "Linux",
            ]))
    targets.append(
        .executableTarget(
            name: "Kernel",
            dependencies: [
                "CMachine", "Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU",
                "Deferred", "Time", "Devices", "Linux", "KernelTests",
            ],
            exclude: ["kernel.ld"],
            swiftSettings: roomSettings,
            linkerSettings: [
                .unsafeFlags([
                    "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-static",
                    "-Xclang-linker", "-fuse-ld=lld",
                    "-Xlinker", "-T", "-Xlinker", "Sources/Kernel/kernel.ld",
                    "-Xlinker", "--gc-sections",
                ])
            ]))
} else {
    let testedRooms = [
        "Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU", "Deferred", "Time", "Devices",
        "Linux",
    ]
    targets.append(
        .target(
            name: "SimulatedKernel",
            dependencies: [
                "Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU", "Deferred", "Time",
            ],
            path: "Tests/SimulatedKernel", swiftSettings: languageSettings))
    targets += testedRooms.map { name in
        .testTarget(
            name: "\(name)Tests",
            dependencies: [
                "Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU", "Deferred",
                "Time", "Devices", "Linux", "SimulatedKernel",
            ],
            path: "Tests/\(name)Tests",
            swiftSettings: languageSettings)
    }
    targets += [
        .testTarget(name: "TimerWheelTests", dependencies: ["TimerWheel"], swiftSettings: languageSettings),
        // What `./apus bench wheel` counts the instructions of.
        .executableTarget(
            name: "wheel-count", dependencies: ["TimerWheel"], path: "Tests/WheelCount",
            swiftSettings: languageSettings),
        .testTarget(
            name: "ContextTests",
            dependencies: ["Machine", "Primitives", "Memory", "Interrupts", "Tasks", "CrossCPU", "Deferred"],
            path: "Tests/ContextTests",
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
        .target(
            name: "Tool",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "apus-tool", dependencies: ["Tool"], path: "Sources/ToolMain",
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
        .testTarget(
            name: "ToolTests", dependencies: ["Tool"], path: "Tests/ToolTests",
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    ]
}

let package = Package(
    name: "Apus",
    products: isKernel ? [] : [.library(name: "TimerWheel", targets: ["TimerWheel"])],
    dependencies: isKernel
        ? []
        : [
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
            .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
        ],
    targets: targets
)
