import Application
import Crypto
import Domain

/// UUIDs that follow from a name (version 5), in the namespaces that `schemas/README.md` publishes.
package enum NameUUID {
  /// Of an order whose sender chose no id: the name is tenant, `/`, message id.
  package static let orderNamespace = UUIDValue(high: 0xcd5a_40a5_eecb_4ec5, low: 0xa01d_c616_b86f_66f9)
  /// Of events: the name is tenant, `/`, order id, `/`, version; of a refused command tenant, `/`, message id, `/order.command_rejected`.
  package static let eventNamespace = UUIDValue(high: 0x05db_9093_32d0_4202, low: 0xb8e0_4d1a_27c7_0f2f)

  /// Of dead letters: the name is message id, SHA-256 of the body in hexadecimal digits and the sender's `sub`, joined by line feeds.
  package static let deadLetterNamespace = UUIDValue(high: 0x3f5f_020c_9dce_4385, low: 0x809c_d1d5_0a05_1095)

  package static func order(_ identity: CommandIdentity) -> OrderID {
    make(orderNamespace) { append(identity, to: &$0) }
  }

  static func event(of order: OrderKey, version: Int64) -> UUIDValue {
    make(eventNamespace) { name in
      name.append(contentsOf: order.tenant.rawValue.utf8)
      name.append(UInt8(ascii: "/"))
      order.order.appendText(to: &name)
      name.append(UInt8(ascii: "/"))
      JSONWriter.append(version, to: &name)
    }
  }

  package static func rejection(_ identity: CommandIdentity) -> UUIDValue {
    make(eventNamespace) { name in
      append(identity, to: &name)
      name.append(contentsOf: "/order.command_rejected".utf8)
    }
  }

  /// Of the outbox row of a reply.
  static func reply(_ identity: CommandIdentity) -> UUIDValue {
    make(eventNamespace) { name in
      append(identity, to: &name)
      name.append(contentsOf: "/order.reply".utf8)
    }
  }

  static func deadLetter(messageID: String?, bodyHash: Fingerprint, subject: String?) -> UUIDValue {
    make(deadLetterNamespace) { name in
      name.append(contentsOf: (messageID ?? "").utf8)
      name.append(0x0A)
      name.append(contentsOf: bodyHash.hexadecimal.utf8)
      name.append(0x0A)
      name.append(contentsOf: (subject ?? "").utf8)
    }
  }

  private static func append(_ identity: CommandIdentity, to name: inout [UInt8]) {
    name.append(contentsOf: identity.tenant.rawValue.utf8)
    name.append(UInt8(ascii: "/"))
    name.append(contentsOf: identity.message.rawValue.utf8)
  }

  static func make(_ namespace: UUIDValue, _ name: (inout [UInt8]) -> Void) -> UUIDValue {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(160)
    for shift in stride(from: 56 as UInt64, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: namespace.high >> shift)) }
    for shift in stride(from: 56 as UInt64, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: namespace.low >> shift)) }
    name(&bytes)
    var hash = Insecure.SHA1()
    bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
    return UUIDValue(Array(hash.finalize()), version: 5)
  }
}
