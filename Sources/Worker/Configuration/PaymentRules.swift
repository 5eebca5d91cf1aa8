import HTTPPaymentAdapter

/// What the settings of the payment provider must say together.
enum PaymentRules {
  static func check(_ configuration: Configuration) throws(ConfigurationFaults) {
    let kind = configuration[.paymentProvider]
    guard kind != .none else { return }
    _ = try endpoint(kind, url: configuration[.paymentURL], token: configuration[.paymentToken])
  }

  static func endpoint(_ kind: PaymentProviderKind, url: String?, token: String?) throws(ConfigurationFaults) -> HTTPPaymentEndpoint {
    if kind == .stripe {
      throw ConfigurationFaults(sentences: [
        "ORDERS_PAYMENT_PROVIDER is stripe, which is not built in this version: http speaks schemas/openapi/payment.yaml to a provider of your own"
      ])
    }
    guard let url else {
      throw ConfigurationFaults(sentences: ["ORDERS_PAYMENT_PROVIDER is http, and ORDERS_PAYMENT_URL does not say where it listens"])
    }
    do {
      return try HTTPPaymentEndpoint(url: url, token: token)
    } catch {
      throw ConfigurationFaults(sentences: [sentence(error)])
    }
  }

  private static func sentence(_ fault: HTTPPaymentEndpointFault) -> String {
    switch fault {
    case .scheme: "ORDERS_PAYMENT_URL should be a URL http://… or https://…"
    case .host: "ORDERS_PAYMENT_URL names no host"
    case .credentials: "ORDERS_PAYMENT_URL has a user in it, which is not sent: what the provider knows the worker by goes into ORDERS_PAYMENT_TOKEN"
    case .query: "ORDERS_PAYMENT_URL has a ? or # in it: paths are put behind it as it stands"
    case .token: "ORDERS_PAYMENT_TOKEN has characters in it that a header cannot carry"
    }
  }
}
