// The rival of row 9: an HTTP server in Go, written the usual way, that answers when the broker has the
// record. net/http, Confluent's client (the same librdkafka as ours), one channel a request for its
// delivery report. Prints "PORT n".
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

type user struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Age        int    `json:"age"`
	Occupation string `json:"occupation"`
}

type server struct {
	producer *kafka.Producer
	topic    string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var record user
	if err == nil {
		err = json.Unmarshal(body, &record)
	}
	if err != nil || record.ID == "" {
		http.Error(w, "not a record", http.StatusBadRequest)
		return
	}
	report := make(chan kafka.Event, 1)
	err = s.producer.Produce(&kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &s.topic, Partition: kafka.PartitionAny},
		Key:            []byte(record.ID), Value: body}, report)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	delivered := (<-report).(*kafka.Message)
	if delivered.TopicPartition.Error != nil {
		http.Error(w, delivered.TopicPartition.Error.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"partition":%d,"offset":%d}`, delivered.TopicPartition.Partition,
		int64(delivered.TopicPartition.Offset))
}

func main() {
	linger := "0"
	if len(os.Args) > 2 {
		linger = os.Args[2]
	}
	producer, err := kafka.NewProducer(&kafka.ConfigMap{
		"bootstrap.servers": os.Getenv("KAFKA_BROKERS"), "enable.idempotence": true,
		"partitioner": "murmur2_random", "linger.ms": linger})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("PORT %d\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, &server{producer, os.Args[1]}))
}
