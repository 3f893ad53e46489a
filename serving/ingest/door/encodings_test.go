package door

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/structpb"
)

// batchType is kindred.v1.Batch, from the descriptor set that protoc made of proto/kindred.proto:
//
//	protoc -I proto --include_imports --descriptor_set_out=testdata/protobuf/kindred.binpb kindred.proto
func batchType(t testing.TB) protoreflect.MessageDescriptor {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(fixtureRaw(t, "protobuf/kindred.binpb"), &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	d, err := files.FindDescriptorByName("kindred.v1.Batch")
	if err != nil {
		t.Fatal(err)
	}
	return d.(protoreflect.MessageDescriptor)
}

// batch.bin was written by Google's Python library from the published schema.
func TestProtobufBatchesBecomeCalls(t *testing.T) {
	b, err := Protobuf(fixtureRaw(t, "protobuf/batch.bin"), DefaultLimits())
	if err != nil || !b.SentAt.Equal(noon) || b.WriteKey != "WK" || string(b.Context) != `{"app":{"name":"Shop"}}` {
		t.Fatalf("%+v, %v", b, err)
	}
	golden(t, "protobuf/batch", b)
}

// protoTwin is what the library understands of a batch, plainly.
func protoTwin(t testing.TB, b []byte) (calls []map[string]any, ok bool) {
	m := dynamicpb.NewMessage(batchType(t))
	if proto.Unmarshal(b, m) != nil {
		return nil, false
	}
	list := m.Get(m.Descriptor().Fields().ByName("calls")).List()
	names := map[string]string{"message_id": "messageId", "user_id": "userId", "anonymous_id": "anonymousId", "group_id": "groupId",
		"previous_id": "previousId", "timestamp_ms": "timestamp", "sent_at_ms": "sentAt"}
	for i := range list.Len() {
		call := map[string]any{}
		list.Get(i).Message().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			name := string(f.Name())
			if names[name] != "" {
				name = names[name]
			}
			switch f.Kind() {
			case protoreflect.EnumKind:
				call[name] = strings.ToLower(string(f.Enum().Values().ByNumber(v.Enum()).Name()))
			case protoreflect.MessageKind:
				raw, _ := proto.Marshal(v.Message().Interface())
				var s structpb.Struct
				_ = proto.Unmarshal(raw, &s)
				call[name] = s.AsMap()
			case protoreflect.Int64Kind:
				call[name] = float64(v.Int())
			default:
				call[name] = v.Interface()
			}
			return true
		})
		calls = append(calls, call)
	}
	return calls, true
}

func compareProto(t *testing.T, b []byte) {
	got, err := Protobuf(b, DefaultLimits())
	if err != nil || len(got.Rejected) > 0 {
		return
	}
	want, ok := protoTwin(t, b)
	if !ok {
		t.Fatalf("the library refuses what was taken: %s", got.Calls)
	}
	if len(want) != len(got.Calls) {
		t.Fatalf("%d calls, the library finds %d", len(got.Calls), len(want))
	}
	for i, raw := range got.Calls {
		w, _ := json.Marshal(want[i])
		same(t, string(raw), string(w))
	}
}

func TestProtobufReadsAsTheLibraryDoes(t *testing.T) {
	compareProto(t, fixtureRaw(t, "protobuf/batch.bin"))
}

func TestProtobufIsBounded(t *testing.T) {
	deep := []byte{}
	for range 200 { // lists in lists
		v := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), deep)
		deep = protowire.AppendBytes(protowire.AppendTag(nil, 6, protowire.BytesType), v)
	}
	entry := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), deep)
	props := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), entry)
	call := protowire.AppendBytes(protowire.AppendTag(nil, 12, protowire.BytesType), props)
	nan := protowire.AppendFixed64(protowire.AppendTag(nil, 2, protowire.Fixed64Type), math.Float64bits(math.NaN()))
	nanCall := protowire.AppendBytes(protowire.AppendTag(nil, 12, protowire.BytesType),
		protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), nan)))
	badText := protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), []byte{0xff})
	badType := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 99)
	for name, c := range map[string][]byte{"deep": call, "NaN": nanCall, "text": badText, "type": badType, "cut": {0x1a, 5}, "group": {0x1b, 0x1c}} {
		b, err := Protobuf(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), c), DefaultLimits())
		if err != nil || len(b.Rejected) != 1 {
			t.Errorf("%s: %v, %+v", name, err, b)
		}
	}
	many := bytes.Repeat([]byte{0x0a, 0}, 11)
	if _, err := Protobuf(many, Limits{Bytes: 1000, Calls: 10}); err == nil {
		t.Error("more calls than the limit were taken")
	}
	if _, err := Protobuf(many, Limits{Bytes: 10, Calls: 100}); err == nil {
		t.Error("more bytes than the limit were taken")
	}
}

func callSchema(t testing.TB) avro.Schema {
	s, err := avro.ParseBytesWithCache(fixture(t, "avro/call.avsc"), "", &avro.SchemaCache{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func avroCall(t testing.TB) []byte {
	b, err := avro.Marshal(callSchema(t), map[string]any{
		"type": "track", "messageId": "m1", "userId": "u1", "anonymousId": nil, "event": "Product Viewed", "timestamp": noon,
		"properties": map[string]any{"product_id": map[string]any{"string": "p1"}, "price": map[string]any{"double": 9.5},
			"tags": map[string]any{"array": []any{"a", "b"}}, "n": map[string]any{"long": int64(7)}, "none": nil},
		"traits": `{"plan":"pro"}`, "context": map[string]any{"kindred.v1.Context": map[string]any{"locale": "de"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func confluent(id uint32, datum []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, id), datum...)
}

const avroWant = `{"type":"track","messageId":"m1","userId":"u1","anonymousId":null,"event":"Product Viewed","timestamp":"2026-11-22T12:00:00Z",
	"properties":{"n":7,"none":null,"price":9.5,"product_id":"p1","tags":["a","b"]},"traits":{"plan":"pro"},"context":{"locale":"de"}}`

// A sender with a wrong id does not make the registry's load of ours; an id that is given out meanwhile is found.
func TestThatASchemaIsUnknownIsRememberedForAWhile(t *testing.T) {
	asked, known := 0, false
	r := NewRegistry(func(_ context.Context, path string) ([]byte, error) {
		if asked++; !known {
			return nil, ErrNoSchema
		}
		o := newObject()
		o.setText("schema", string(fixture(t, "avro/call.avsc")))
		return o.bytes(), nil
	})
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	read := func(id uint32, after time.Duration) error {
		_, err := Avro(t.Context(), confluent(id, avroCall(t)), r, now.Add(after), DefaultLimits())
		return err
	}
	for i := range 5 {
		if err := read(1, time.Duration(i)*time.Second); err == nil || asked != 1 {
			t.Fatalf("request %d: %v, the registry was asked %d times; want a refusal, asked once", i, err, asked)
		}
	}
	for id := range uint32(3 * maxMisses) {
		read(2+id, 5*time.Second)
	}
	if n := len(r.refused); n > maxMisses {
		t.Errorf("%d ids are remembered, want %d at most", n, maxMisses)
	}
	if err := read(1, 6*time.Second); err == nil {
		t.Error("a schema that nobody knows was read")
	}
	known = true
	if err := read(1, 6*time.Second+missAge); err != nil {
		t.Errorf("after a while: %v", err)
	}
}

func TestAvroInBothEncodings(t *testing.T) {
	asked := 0
	r := NewRegistry(func(_ context.Context, path string) ([]byte, error) {
		asked++
		switch path {
		case "/schemas/ids/7":
			o := newObject()
			o.setText("schema", string(fixture(t, "avro/call.avsc")))
			return o.bytes(), nil
		case "/schemas/ids/8":
			return nil, errors.New("connection refused")
		case "/schemas/ids/9":
			return []byte(`{"schema":"syntax","schemaType":"PROTOBUF"}`), nil
		case "/schemas/ids/10":
			return []byte(`{"schema":"\"string\"","references":[{"name":"x"}]}`), nil
		}
		return nil, ErrNoSchema
	})
	for range 2 {
		b, err := Avro(t.Context(), confluent(7, avroCall(t)), r, time.Time{}, DefaultLimits())
		same(t, one(t, b, err), avroWant)
	}
	if asked != 1 {
		t.Errorf("the registry was asked %d times for one schema", asked)
	}
	if err := r.Add(fixture(t, "avro/call.avsc")); err != nil {
		t.Fatal(err)
	}
	print, err := callSchema(t).FingerprintUsing(avro.CRC64AvroLE)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Avro(t.Context(), append(append([]byte{0xc3, 1}, print...), avroCall(t)...), r, time.Time{}, DefaultLimits())
	same(t, one(t, b, err), avroWant)

	var away *RegistryError
	if _, err := Avro(t.Context(), confluent(8, nil), r, time.Time{}, DefaultLimits()); !errors.As(err, &away) {
		t.Errorf("a registry that is away: %v", err)
	}
	var body *BodyError
	for name, bad := range map[string][]byte{
		"unknown": confluent(1, nil), "other type": confluent(9, nil), "references": confluent(10, nil), "empty": nil, "text": []byte("{}"),
		"no print": {0xc3, 1, 1, 2, 3, 4, 5, 6, 7, 8}, "cut": confluent(7, avroCall(t)[:20]), "more": confluent(7, append(avroCall(t), 0)),
	} {
		if _, err := Avro(t.Context(), bad, r, time.Time{}, DefaultLimits()); !errors.As(err, &body) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The single-object encoding's specification has this fingerprint for "null": CRC-64-AVRO of its canonical form.
func TestAvroFingerprintIsTheSpecifications(t *testing.T) {
	s, _ := avro.Parse(`"null"`)
	print, err := s.FingerprintUsing(avro.CRC64AvroLE)
	if err != nil || binary.LittleEndian.Uint64(print) != 0x63dd24e7cc258f8a {
		t.Errorf("%x, %v", print, err)
	}
}

func TestAvroValues(t *testing.T) {
	for _, c := range []struct {
		schema string
		value  any
		want   string
	}{
		{`"boolean"`, true, `true`}, {`"int"`, 5, `5`}, {`"long"`, int64(-5), `-5`}, {`"float"`, float32(0.5), `0.5`}, {`"double"`, 1e300, `1e300`},
		{`"bytes"`, []byte{1, 2}, `"AQI="`}, {`"string"`, "ä\"", `"ä\""`}, {`{"type":"fixed","name":"f","size":2}`, [2]byte{1, 2}, `"AQI="`},
		{`{"type":"array","items":"int"}`, []int{1, 2}, `[1,2]`}, {`{"type":"int","logicalType":"date"}`, noon, `"2026-11-22"`},
		{`{"type":"long","logicalType":"timestamp-micros"}`, noon.Add(time.Microsecond), `"2026-11-22T12:00:00.000001Z"`},
		{`{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}`, big.NewRat(-1234, 100), `-12.34`},
	} {
		s, err := avro.ParseWithCache(c.schema, "", &avro.SchemaCache{})
		if err != nil {
			t.Fatal(err)
		}
		datum, err := avro.Marshal(s, c.value)
		if err != nil {
			t.Fatalf("%s: %v", c.schema, err)
		}
		v, err := avroValue(s, datum, DefaultLimits())
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		same(t, string(v), c.want)
	}
	bomb, _ := avro.Parse(`{"type":"array","items":"null"}`)
	if _, err := avroValue(bomb, []byte{0xfe, 0xff, 0xff, 0xff, 0x0f, 0}, DefaultLimits()); err == nil {
		t.Error("two thousand million nulls were taken")
	}
	self, err := parseSchema([]byte(`{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := avroValue(self, bytes.Repeat([]byte{2}, 1000), DefaultLimits()); err == nil || !strings.Contains(err.Error(), "deeper") {
		t.Errorf("a thousand levels: %v", err)
	}
}

func TestXMLFeedsBecomeObjects(t *testing.T) {
	read := func(doc string, f Feed, l Limits) (out []string, err error) {
		err = XML(strings.NewReader(doc), f, l, func(o json.RawMessage) error {
			out = append(out, string(o))
			return nil
		})
		return out, err
	}
	got, err := read(string(fixture(t, "xml/google.xml")), DefaultFeed(), DefaultLimits())
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %s", err, got)
	}
	same(t, got[0], `{"id":"p1","title":"Lamp & shade","text":"A <b>lamp</b>","url":"https://shop.example/p1?a=1&b=2","brand":"Lux","categories":["Home","Light"],"price":19.99}`)
	same(t, got[1], `{"id":"p2","title":"Desk"}`)

	crm := Feed{Record: "crm/customer", MaxRecordBytes: 1000, Fields: []FeedField{{"@id", "userId", ""}, {"mail", "email", "text"}, {"address/city", "city", ""}, {"vip", "vip", "bool"}, {".", "note", ""}, {"mail/@kind", "kind", ""}}}
	got, err = read(`<?xml version="1.0" encoding="ISO-8859-1"?><crm><customer id="7"> n`+"\xe4"+`<mail kind="home">a@b</mail><address><city>Bonn</city></address><vip>yes</vip></customer></crm>`, crm, DefaultLimits())
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %s", err, got)
	}
	same(t, got[0], `{"userId":"7","email":"a@b","city":"Bonn","vip":true,"note":"nä","kind":"home"}`)
	got, err = read(`<a><b x="1"><c>2</c></b></a>`, Feed{Record: "a/b", MaxRecordBytes: 100}, DefaultLimits())
	if err != nil || got[0] != `{"@x":"1","c":"2"}` {
		t.Errorf("%v, %s", err, got)
	}
	item := Feed{Record: "a/b", MaxRecordBytes: 20}
	for _, c := range [][2]string{
		{"EOF", `<a><b>`}, {"entity", `<!DOCTYPE a [<!ENTITY x "y">]><a><b>&x;</b></a>`}, {"the record has more", `<a><b>` + strings.Repeat("x", 21) + `</b></a>`},
		{"deeper", strings.Repeat("<a>", 100)}, {"encoding", `<?xml version="1.0" encoding="koi8-r"?><a/>`}, {"UTF-8", "<a><b>\xff</b></a>"},
		{"records", `<a><b/><b/><b/></a>`}, {"310 bytes", `<a>` + strings.Repeat(" ", 400) + `</a>`},
	} {
		if _, err := read(c[1], item, Limits{Bytes: 310, Calls: 2}); err == nil || !strings.Contains(err.Error(), "line ") || !strings.Contains(err.Error(), c[0]) {
			t.Errorf("want something about %s, got %v", c[0], err)
		}
	}
	stop := errors.New("stop")
	if err := XML(strings.NewReader(`<a><b/></a>`), item, DefaultLimits(), func(json.RawMessage) error { return stop }); err != stop {
		t.Errorf("yield's error: %v", err)
	}
	for field, f := range map[string]Feed{"record": {Record: "a//b", MaxRecordBytes: 1}, "max_record_bytes": {Record: "a"},
		"fields[0]": {Record: "a", MaxRecordBytes: 1, Fields: []FeedField{{"a", "b", "x"}}}, "fields[1]": {Record: "a", MaxRecordBytes: 1, Fields: []FeedField{{"a", "b", ""}, {"c", "b", ""}}}} {
		if err := f.Validate(); err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := DefaultFeed().Validate(); err != nil {
		t.Error(err)
	}
}
