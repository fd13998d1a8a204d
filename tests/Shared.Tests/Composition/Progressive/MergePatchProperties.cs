using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Composition.Progressive;
using Bff.TestKit;
using FsCheck;
using FsCheck.Fluent;

namespace Bff.Shared.Tests.Composition.Progressive;

/// <summary>Checks that merge patches between any documents rebuild each document from the one before.</summary>
public sealed class MergePatchProperties
{
    private static readonly string[] Names = ["a", "b", "a/b", "a~b", "ab", "ä", ""];

    private static readonly Gen<JsonNode?> Scalar = Gen.Elements<Func<JsonNode?>>(
            () => null,
            () => 1,
            () => 1.50m,
            () => true,
            () => "text",
            () => "über\n\"quoted\"",
            () => new JsonObject(),
            () => new JsonArray(1, null, new JsonObject { ["a"] = null })
        )
        .Select(make => make());

    [Fact]
    public void The_patches_of_any_sequence_of_documents_rebuild_each_document()
    {
        var sequences = from count in Gen.Choose(1, 6) from documents in Gen.ListOf(Document(3), count) select documents.ToArray();

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(sequences.ToArbitrary(), Holds));
    }

    /// <summary>Runs the examples of RFC 7396, appendix A, to show that the tests merge patches as the RFC says.</summary>
    [Theory]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"a":null}""", "{}")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""["a","b"]""", """["c","d"]""", """["c","d"]""")]
    [InlineData("""{"a":"b"}""", """["c"]""", """["c"]""")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("[1,2]", """{"a":"b","c":null}""", """{"a":"b"}""")]
    [InlineData("{}", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void The_tests_merge_patches_as_RFC_7396_does(string target, string patch, string result) =>
        Assert.Equal(result, AnswerInLines.Merge(JsonNode.Parse(target), JsonNode.Parse(patch))!.ToJsonString());

    private static bool Holds(JsonObject[] documents)
    {
        var nulls = new List<string>();
        var merged = documents[0].DeepClone().AsObject(); // A client that merges all patches and applies the explicit nulls at the end.
        var exact = documents[0].DeepClone().AsObject(); // A client that applies the explicit nulls after each patch.
        for (var i = 1; i < documents.Length; i++)
        {
            var patch = Patch(documents[i - 1], documents[i], nulls);
            merged = AnswerInLines.Merge(merged, patch)!.AsObject();
            exact = AnswerInLines.Merge(exact, patch)!.AsObject();
            nulls.ForEach(pointer => AnswerInLines.SetNull(exact, pointer));
            if (!JsonNode.DeepEquals(exact, documents[i]))
            {
                return false;
            }
        }

        nulls.ForEach(pointer => AnswerInLines.SetNull(merged, pointer));
        return JsonNode.DeepEquals(merged, documents[^1]);
    }

    private static JsonNode Patch(JsonObject before, JsonObject now, List<string> nulls)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        using (var first = JsonDocument.Parse(before.ToJsonString()))
        using (var second = JsonDocument.Parse(now.ToJsonString()))
        {
            json.WriteStartObject();
            new MergePatch(json, nulls).WriteMembers(first.RootElement, second.RootElement);
            json.WriteEndObject();
        }

        return JsonNode.Parse(Encoding.UTF8.GetString(bytes.WrittenSpan))!;
    }

    private static Gen<JsonObject> Document(int depth) =>
        from names in Gen.SubListOf(Names)
        from values in Gen.ListOf(
            depth == 0
                ? Scalar
                : Gen.Frequency(
                    (3, Scalar),
                    (2, Document(depth - 1).Select(d => (JsonNode?)d)),
                    (1, Document(depth - 1).Select(d => (JsonNode?)new JsonArray(d)))
                ),
            names.Count
        )
        select new JsonObject(names.Zip(values, (name, value) => KeyValuePair.Create(name, value?.DeepClone())));
}
