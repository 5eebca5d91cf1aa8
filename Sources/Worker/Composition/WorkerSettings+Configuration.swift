extension WorkerSettings {
  init(_ configuration: Configuration) {
    self.init(
      amqpURL: configuration[.amqpURL], databaseURL: configuration[.databaseURL], redisURL: configuration[.redisURL], prefix: configuration[.prefix],
      schema: configuration[.databaseSchema], redisPrefix: configuration[.redisPrefix],
      prefetch: UInt16(configuration[.prefetch]),  // its range is that of UInt16
      batchMax: configuration[.batchMax], reservationTTL: configuration[.reservationTTL], cacheTTL: configuration[.cacheTTL],
      retryRungs: configuration[.retryRungs],
      defaultCurrency: configuration[.defaultCurrency], replyToAllow: configuration[.replyToAllow], roles: Set(configuration[.roles]),
      paymentProvider: configuration[.paymentProvider], paymentURL: configuration[.paymentURL], paymentToken: configuration[.paymentToken],
      paymentTimeout: configuration[.paymentTimeout], paymentGiveUp: configuration[.paymentGiveUp], deadLetterKeep: configuration[.deadLetterKeep],
      otlpEndpoint: configuration[.otlpEndpoint], otlpHeaders: configuration[.otlpHeaders], traceShare: configuration[.traceShare])
  }
}
