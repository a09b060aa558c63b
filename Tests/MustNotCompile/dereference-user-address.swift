// expect: value of type 'VirtualAddress' has no member 'pointee'

import Machine

func read(_ address: VirtualAddress) -> UInt8 { address.pointee }
