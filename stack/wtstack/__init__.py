"""The local stack: real Kafka, MariaDB and Redis on loopback, and the pipeline on top.

daemon     one background process: started, recognised again, stopped, never mistaken
runenv     the folder RUN: its lock, its env file, its ports
kafka, mariadb, redis   how one server is set up, started and asked whether it is ready
servers    the three in parallel, topics, database
pipeline   wt-consumer and wt-producer
cli        the commands up, down, status, clean-data
proof, demo   make demo: a load ramp, and the proof that nothing is missing
Standard library only, but for confluent_kafka (topics); `make deps` brings it.
"""
