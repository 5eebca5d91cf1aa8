/// As much of a reply as is looked at, by the names on the wire.
struct Reply: Decodable, Sendable {
  struct Failure: Decodable, Sendable {
    let code: String
    let details: [Detail]
  }

  struct Detail: Decodable, Sendable {
    let code: String
    let requested: Int?
    let available: Int?
  }

  let outcome: String
  let original: String?
  let message_id: String?
  let order_id: String?
  let status: String?
  let version: Int?
  let error: Failure?
}
