CREATE TABLE IF NOT EXISTS IDENTIFIER(:catalog || '.churn.features') (
  customer_id BIGINT NOT NULL,
  tenure INT,
  monthly_charge DOUBLE,
  churned BOOLEAN,
  CONSTRAINT features_pk PRIMARY KEY (customer_id)
);

GRANT SELECT ON TABLE IDENTIFIER(:catalog || '.churn.features') TO `ml-readers`;
