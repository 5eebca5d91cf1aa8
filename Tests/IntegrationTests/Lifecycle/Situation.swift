/// Where an order stands before a command: a status, and the way by which it came there. What it has then is written here as the contract has it.
enum Situation: String, CaseIterable, Sendable {
  case pending, confirmed, processing, shipped, delivered, cancelled, rejected, expired
  case heldFromConfirmed = "on_hold, from confirmed"
  case heldFromProcessing = "on_hold, from processing"

  /// The statuses that commands give it after its create, in turn.
  var way: [String] {
    switch self {
    case .pending, .rejected, .expired: []
    case .confirmed: ["confirmed"]
    case .processing: ["confirmed", "processing"]
    case .shipped: ["confirmed", "processing", "shipped"]
    case .delivered: ["confirmed", "processing", "shipped", "delivered"]
    case .cancelled: ["confirmed", "cancelled"]
    case .heldFromConfirmed: ["confirmed", "on_hold"]
    case .heldFromProcessing: ["confirmed", "processing", "on_hold"]
    }
  }

  var status: String {
    switch self {
    case .heldFromConfirmed, .heldFromProcessing: "on_hold"
    default: rawValue
    }
  }

  /// What is on hand of its product before its create, of which it takes two.
  var onHandBefore: Int64 { self == .rejected ? 1 : 10 }

  /// The order as it stands, with a total or without.
  func standing(paid: Bool) -> Standing {
    let payment: String
    switch self {
    case .pending, .rejected, .expired: payment = "none"
    case .confirmed, .processing, .heldFromConfirmed, .heldFromProcessing: payment = "authorized"
    case .shipped, .delivered: payment = "captured"
    case .cancelled: payment = "voided"
    }
    let (reservation, onHand, reserved): (String, Int64, Int64)
    switch self {
    case .pending: (reservation, onHand, reserved) = ("held", 10, 2)
    case .confirmed, .processing, .heldFromConfirmed, .heldFromProcessing: (reservation, onHand, reserved) = ("allocated", 10, 2)
    case .shipped, .delivered: (reservation, onHand, reserved) = ("fulfilled", 8, 0)
    case .cancelled: (reservation, onHand, reserved) = ("released", 10, 0)
    case .rejected: (reservation, onHand, reserved) = ("none", 1, 0)
    case .expired: (reservation, onHand, reserved) = ("expired", 10, 0)
    }
    // A version for the create, one for each command, one for the clock, and one for the void after a cancelled order that was paid.
    let version = 1 + way.count + (self == .expired ? 1 : 0) + (self == .cancelled && paid ? 1 : 0)
    return Standing(
      status: status, payment: paid ? payment : "none", reservation: reservation, version: Int64(version), onHand: onHand, reserved: reserved)
  }
}

/// An order on all its axes, with the stock of its product.
struct Standing: Sendable, Equatable {
  var status: String
  var payment: String
  var reservation: String
  var version: Int64
  var onHand: Int64
  var reserved: Int64

  /// Of an order that is not there.
  static let missing = Standing(status: "missing", payment: "", reservation: "", version: 0, onHand: 0, reserved: 0)
}
