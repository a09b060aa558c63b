// What the tests of calls between CPUs share.

import Testing

/// All of them run one after the other: what the called functions count is in globals.
@Suite(.serialized) struct CrossCPUMachineTests {}
