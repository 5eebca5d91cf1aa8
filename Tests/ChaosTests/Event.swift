/// As much of an event as is looked at.
struct Event: Decodable, Sendable {
  let id: String
  let type: String
  let subject: String?
  let causationid: String?
  let sequence: String?
}
