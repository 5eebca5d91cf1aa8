import ClientRuntime

/// What a part of the management API said, or why it did not.
package enum ManagementAnswer<Value: Sendable & Equatable>: Sendable, Equatable {
  case value(Value)
  case notGiven(ManagementAPI.Fault)

  package var value: Value? { if case .value(let value) = self { value } else { nil } }
}

/// What only the management API knows of the worker's part of a broker. Nothing of it is judged here.
package struct ManagementFacts: Sendable, Equatable {
  package var clock: ClockReading?
  package var version: String
  package var queues: ManagementAnswer<[BrokerQueue]>
  package var policies: ManagementAnswer<[BrokerPolicy]>
  package var operatorPolicies: ManagementAnswer<[BrokerPolicy]>
  package var bindings: ManagementAnswer<[BrokerBinding]>
  package var flags: ManagementAnswer<[FeatureFlag]>
  package var nodes: ManagementAnswer<[BrokerNode]>
  /// Of the worker's user, in its virtual host.
  package var permission: ManagementAnswer<BrokerPermission>

  package init(
    clock: ClockReading? = nil, version: String = "3.10.8", queues: ManagementAnswer<[BrokerQueue]> = .value([]),
    policies: ManagementAnswer<[BrokerPolicy]> = .value([]), operatorPolicies: ManagementAnswer<[BrokerPolicy]> = .value([]),
    bindings: ManagementAnswer<[BrokerBinding]> = .value([]), flags: ManagementAnswer<[FeatureFlag]> = .value([]),
    nodes: ManagementAnswer<[BrokerNode]> = .value([]), permission: ManagementAnswer<BrokerPermission> = .notGiven(.refused)
  ) {
    self.clock = clock
    self.version = version
    self.queues = queues
    self.policies = policies
    self.operatorPolicies = operatorPolicies
    self.bindings = bindings
    self.flags = flags
    self.nodes = nodes
    self.permission = permission
  }
}
