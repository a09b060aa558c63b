// A program of the Swift standard library, statically linked: strings, dictionaries, sets, sorting,
// generics, errors, classes and their reference counts, threads of the C library, clocks, files.
import Glibc
import Synchronization

nonisolated(unsafe) private var number = 0
nonisolated(unsafe) private var failures = 0

private func check(_ name: String, _ good: Bool, _ detail: @autoclosure () -> String = "") {
    number += 1
    if !good {
        failures += 1
        print("# \(name): \(detail())")
    }
    print("\(good ? "" : "not ")ok \(number) - \(name)")
}

private func equal<Value: Equatable>(_ name: String, _ got: Value, _ wanted: Value) {
    check(name, got == wanted, "got \(got), expected \(wanted)")
}

// MARK: - The language and its library

private func strings() {
    equal("interpolation", "\(6 * 7) is \(true) at \(1.5)", "42 is true at 1.5")
    equal("characters of Unicode", "añ🇨🇭é".count, 4)
    equal("comparison of composed characters", "caf\u{e9}" == "cafe\u{301}", true)
    equal("case", "Größe".uppercased(), "GRÖSSE")
    equal("splitting", "a,b,,c".split(separator: ",").joined(separator: "-"), "a-b-c")
    let long = String(repeating: "swift ", count: 20_000)
    equal("long string", long.utf8.count, 120_000)
    equal("numbers", Int("-123").map { $0 * 2 }, -246)
    equal("hexadecimal", String(0xdead_beef as UInt32, radix: 16), "deadbeef")
}

private func collections() {
    var words: [String: Int] = [:]
    for index in 0..<10_000 { words["word \(index % 1000)", default: 0] += index }
    equal("dictionary", words.count, 1000)
    equal("dictionary's values", words.values.reduce(0, +), 49_995_000)
    let odd = Set((0..<1000).filter { $0 % 2 == 1 }), three = Set((0..<1000).filter { $0 % 3 == 0 })
    equal("set", odd.intersection(three).count, 167)
    var state: UInt64 = 88_172_645_463_325_252
    var array = (0..<50_000).map { _ -> UInt64 in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
    array.sort()
    check("sorting", zip(array, array.dropFirst()).allSatisfy { $0 <= $1 })
    var copy = array
    copy[0] = 0
    check("copy on write", array[0] != 0 && copy[0] == 0)
    equal("lazy sequences", Array((1..<100).lazy.filter { $0 % 7 == 0 }.prefix(3)), [7, 14, 21])
}

private enum Trouble: Error, Equatable { case odd(Int) }

private func half(of value: Int) throws(Trouble) -> Int {
    guard value % 2 == 0 else { throw .odd(value) }
    return value / 2
}

private final class Node {
    nonisolated(unsafe) static var alive = 0
    var next: Node?
    init(_ next: Node?) {
        self.next = next
        Node.alive += 1
    }
    deinit { Node.alive -= 1 }
}

private func objectsAndErrors() {
    do {
        _ = try half(of: 7)
        check("typed error", false)
    } catch {
        equal("typed error", error, .odd(7))
    }
    var list: Node?
    for _ in 0..<5000 { list = Node(list) }
    equal("objects live", Node.alive, 5000)
    while let first = list { list = first.next }
    equal("objects end", Node.alive, 0)
    let weakly = { () -> Bool in
        weak var reference: Node?
        do {
            let node = Node(nil)
            reference = node
            guard reference != nil else { return false }
            withExtendedLifetime(node) {}
        }
        return reference == nil
    }()
    check("weak reference", weakly)
    let value: Any = [1, 2, 3]
    equal("dynamic cast", (value as? [Int])?.count, 3)
    let roots = (1...1000).reduce(0.0) { $0 + Double($1).squareRoot() }
    check("floating point", abs(roots - 21097.4558874807) < 1e-6, "\(roots)")
}

// MARK: - The system

/// What the threads share.
private final class Shared: Sendable {
    let counter = Atomic<Int>(0)
    let sum = Mutex<Int>(0)
}

private func threads() {
    let shared = Shared()
    var handles: [pthread_t] = []
    for _ in 0..<8 {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(shared).toOpaque()
        let error = pthread_create(
            &handle, nil,
            { context in
                let shared = Unmanaged<Shared>.fromOpaque(context!).takeRetainedValue()
                for index in 0..<1000 {
                    shared.counter.add(1, ordering: .relaxed)
                    shared.sum.withLock { $0 += index }
                }
                return nil
            }, context)
        if error == 0 { handles.append(handle) }
    }
    equal("threads begin", handles.count, 8)
    for handle in handles { pthread_join(handle, nil) }
    equal("atomic counter of threads", shared.counter.load(ordering: .relaxed), 8000)
    equal("sum under a mutex", shared.sum.withLock { $0 }, 8 * 499_500)
}

private func clocks() {
    let clock = ContinuousClock()
    let start = clock.now
    usleep(20_000)
    check("continuous clock", clock.now - start >= .milliseconds(20))
    let suspending = SuspendingClock()
    let first = suspending.now
    check("suspending clock", suspending.now >= first)
    check("date", time(nil) > 1_704_067_200)
    let random = (0..<100).map { _ in UInt64.random(in: 0 ... .max) }
    equal("random numbers differ", Set(random).count, 100)
}

private func files() {
    let path = "/tmp/swift-program.\(getpid())"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    check("open", descriptor >= 0)
    let text = Array((0..<1000).map { "line \($0)\n" }.joined().utf8)
    equal("write", unsafe write(descriptor, text, text.count), text.count)
    lseek(descriptor, 0, SEEK_SET)
    var buffer = [UInt8](repeating: 0, count: text.count + 10)
    equal("read", unsafe read(descriptor, &buffer, buffer.count), text.count)
    equal("content", Array(buffer.prefix(text.count)) == text, true)
    close(descriptor)
    equal("unlink", unlink(path), 0)
    equal("errno", open(path, O_RDONLY) == -1 ? errno : 0, ENOENT)
}

setvbuf(stdout, nil, _IOLBF, 0)
print("KTAP version 1")
strings()
collections()
objectsAndErrors()
threads()
clocks()
files()
print("1..\(number)")
exit(failures == 0 ? 0 : 1)
