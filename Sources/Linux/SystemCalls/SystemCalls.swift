// The name space of all system calls. Each is a function in an extension, in a file for its family:
//
//   static func name(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
//
// What it returns goes into rax; what it throws becomes the negative error number.

public enum SystemCalls {}
