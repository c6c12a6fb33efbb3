CREATE TABLE hive_metastore.churn.features USING PARQUET LOCATION '/mnt/lake/churn/features';

GRANT ALL PRIVILEGES ON SCHEMA prod.churn TO `account users`;
