/// A value of a queue's arguments or of a policy's definition.
package enum PolicyValue: Sendable, Equatable, Decodable, CustomStringConvertible {
  case number(Int64)
  case text(String)
  case other

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int64.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else {
      self = .other
    }
  }

  package var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .text(let text): text
    case .other: "…"
    }
  }
}

package struct BrokerPolicy: Sendable, Equatable, Decodable {
  package var name: String
  package var pattern: String
  package var appliesTo: String
  package var priority: Int
  package var definition: [String: PolicyValue]

  package init(name: String, pattern: String, appliesTo: String = "all", priority: Int = 0, definition: [String: PolicyValue]) {
    self.name = name
    self.pattern = pattern
    self.appliesTo = appliesTo
    self.priority = priority
    self.definition = definition
  }

  private enum CodingKeys: String, CodingKey {
    case name, pattern, priority, definition
    case appliesTo = "apply-to"
  }
}

package struct BrokerQueue: Sendable, Equatable, Decodable {
  package var name: String
  package var type: String
  package var arguments: [String: PolicyValue]
  package var members: [String]?
  package var online: [String]?
  /// Of the policies that apply, as the server says some seconds after they were set; nil where it has not said yet.
  package var policy: String?
  package var operatorPolicy: String?
  package var effective: [String: PolicyValue]?

  package init(name: String, type: String = "quorum", arguments: [String: PolicyValue] = [:], members: [String]? = nil, online: [String]? = nil) {
    self.name = name
    self.type = type
    self.arguments = arguments
    self.members = members
    self.online = online
  }

  /// What is asked for of each: a virtual host may have tens of thousands.
  static let columns = CodingKeys.allCases.map(\.rawValue).joined(separator: ",")

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name, type, arguments, members, online, policy
    case operatorPolicy = "operator_policy"
    case effective = "effective_policy_definition"
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    name = try fields.decode(String.self, forKey: .name)
    type = try fields.decode(String.self, forKey: .type)
    // An empty table comes as an array.
    arguments = (try? fields.decode([String: PolicyValue].self, forKey: .arguments)) ?? [:]
    members = try? fields.decodeIfPresent([String].self, forKey: .members)
    online = try? fields.decodeIfPresent([String].self, forKey: .online)
    policy = try? fields.decodeIfPresent(String.self, forKey: .policy)
    operatorPolicy = try? fields.decodeIfPresent(String.self, forKey: .operatorPolicy)
    // None at all comes as an array, too.
    effective = fields.contains(.effective) ? (try? fields.decode([String: PolicyValue].self, forKey: .effective)) ?? [:] : nil
  }
}

package struct BrokerNode: Sendable, Equatable, Decodable {
  package var name: String
  package var running: Bool
  package var memoryAlarm: Bool?
  package var diskAlarm: Bool?
  package var partitions: [String]?

  package init(name: String, running: Bool = true, memoryAlarm: Bool = false, diskAlarm: Bool = false, partitions: [String] = []) {
    self.name = name
    self.running = running
    self.memoryAlarm = memoryAlarm
    self.diskAlarm = diskAlarm
    self.partitions = partitions
  }

  private enum CodingKeys: String, CodingKey {
    case name, running, partitions
    case memoryAlarm = "mem_alarm"
    case diskAlarm = "disk_free_alarm"
  }
}

package struct FeatureFlag: Sendable, Equatable, Decodable {
  package var name: String
  package var state: String

  package init(name: String, state: String) {
    self.name = name
    self.state = state
  }
}

package struct BrokerBinding: Sendable, Equatable, Decodable {
  package var source: String
  package var destination: String
  package var routingKey: String

  package init(source: String, destination: String, routingKey: String) {
    self.source = source
    self.destination = destination
    self.routingKey = routingKey
  }

  /// What is asked for of each: a virtual host may have tens of thousands.
  static let columns = CodingKeys.allCases.map(\.rawValue).joined(separator: ",")

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case source, destination
    case routingKey = "routing_key"
  }
}

package struct BrokerPermission: Sendable, Equatable, Decodable {
  package var user: String
  package var configure: String
  package var write: String
  package var read: String

  package init(user: String, configure: String, write: String, read: String) {
    self.user = user
    self.configure = configure
    self.write = write
    self.read = read
  }
}
