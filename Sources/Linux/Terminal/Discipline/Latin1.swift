// The character classes by which a line discipline treats bytes: those of ISO 8859-1, as Linux's do.

extension UInt8 {
    /// A control character; 128 … 159 are none.
    var isControl: Bool { self < 32 || self == 127 }

    private var isUppercase: Bool { self >= 65 && self <= 90 || self >= 0xc0 && self <= 0xde && self != 0xd7 }
    private var isLowercase: Bool { self >= 97 && self <= 122 || self >= 0xdf && self != 0xf7 }

    var lowercase: UInt8 { isUppercase ? self | 32 : self }
    /// Two small letters have no capital.
    var uppercase: UInt8 { isLowercase && self != 0xdf && self != 0xff ? self & ~32 : self }

    /// Part of a word for VWERASE.
    var isWordPart: Bool { isUppercase || isLowercase || self >= 48 && self <= 57 || self == 95 }
}
