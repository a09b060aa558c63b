public enum Port { public static func out8(_ p: UInt16, _ v: UInt8) { } }
