// The chip of a line that is a message (MSI, MSI-X): the device writes a word that says which vector, to an address that
// says which CPU (Intel SDM volume 3, 10.11).

import Machine
import Primitives

struct MessageInput: Sendable {
    /// Where the device keeps address and word.
    enum Place: Sendable {
        case capability(MSICapability)
        case table(MSIXEntry)
    }

    let place: Place
    let function: PCIAddress

    var name: StaticString {
        switch place {
        case .capability: "PCI-MSI"
        case .table: "PCI-MSIX"
        }
    }

    /// The device's place on the bus and the number of its message, as Linux numbers them.
    var hardwareNumber: Int {
        let base = (Int(function.bus) << 8 | Int(function.device) << 3 | Int(function.function)) << 11
        if case .table(let entry) = place { return base | entry.index }
        return base
    }

    /// Keeps the message back, where the function can; one that cannot goes on sending, and what comes is kept by the
    /// line's flow.
    func mask() {
        switch place {
        case .capability(let capability): capability.setMasked(true)
        case .table(let entry): entry.setMasked(true)
        }
    }

    func unmask() {
        switch place {
        case .capability(let capability): capability.setMasked(false)
        case .table(let entry): entry.setMasked(false)
        }
    }

    func set(_ target: InterruptTarget, isMasked: Bool) {
        let message = InterruptMessage(apicID: target.apicID, vector: target.vector)
        switch place {
        case .capability(let capability): capability.set(message, isMasked: isMasked)
        case .table(let entry): entry.set(message, isMasked: isMasked)
        }
    }

    /// Nobody has the line any more.
    func shutDown() {
        if case .capability(let capability) = place { capability.switchOff() }
    }

    func redirect(to target: InterruptTarget) {
        let message = InterruptMessage(apicID: target.apicID, vector: target.vector)
        switch place {
        case .capability(let capability): capability.setAddress(message)
        case .table(let entry): entry.setAddress(message)
        }
    }
}
