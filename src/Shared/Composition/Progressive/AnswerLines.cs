using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Bff.Composition.Progressive;

/// <summary>
/// An answer as lines: the first is the answer as it is then, each further one a JSON Merge Patch (RFC 7396) of the line's answer from the
/// answer before, both with <c>_meta</c>. What is compared are the two as they are written, so that no endpoint knows of it.
/// </summary>
internal sealed class AnswerLines<T>(JsonTypeInfo<T> type, ICompositionMeta? meta) : IDisposable
{
    private readonly AnswerBuffer _line = new();
    private readonly List<string> _nulls = [];
    private readonly JsonWriterOptions _options = new() { SkipValidation = true, Encoder = type.Options.Encoder };
    private Document? _answer;
    private Document? _meta;

    /// <summary>The answer of the latest line without <c>_meta</c>.</summary>
    public ReadOnlySpan<byte> Answer => _answer!.Bytes.WrittenSpan;

    /// <summary>The line for an answer; it holds until the next one is written.</summary>
    /// <param name="answer">As it is now.</param>
    /// <param name="report">How it went so far.</param>
    /// <param name="pending">Parts that are still to come.</param>
    public ReadOnlyMemory<byte> Next(T answer, CompositionReport report, IReadOnlyList<Part> pending)
    {
        _line.Clear();
        var (before, metaBefore) = (_answer, _meta);
        _answer = new Document(bytes =>
        {
            using var json = new Utf8JsonWriter(bytes, _options);
            JsonSerializer.Serialize(json, answer, type);
        });
        if (before is null)
        {
            _line.Write(Answer);
            if (meta is not null)
            {
                _meta = Meta(report, pending);
                _line.DropLast();
                _line.Write(_line.WrittenCount > 1 ? ",\"_meta\":"u8 : "\"_meta\":"u8);
                _line.Write(_meta.Bytes.WrittenSpan);
                _line.Write("}"u8);
            }
        }
        else
        {
            WritePatch(before, metaBefore, report, pending);
        }

        before?.Dispose();
        metaBefore?.Dispose();
        _line.Write("\n"u8);
        return _line.WrittenMemory;
    }

    public void Dispose()
    {
        _answer?.Dispose();
        _meta?.Dispose();
        _line.Dispose();
    }

    private void WritePatch(Document before, Document? metaBefore, CompositionReport report, IReadOnlyList<Part> pending)
    {
        using var json = new Utf8JsonWriter(_line, _options);
        json.WriteStartObject();
        new MergePatch(json, _nulls).WriteMembers(before.Root, _answer!.Root);
        if (metaBefore is not null)
        {
            _meta = Meta(report, pending);
            json.WriteStartObject("_meta"u8);
            new MergePatch(json, nulls: null).WriteMembers(metaBefore.Root, _meta.Root);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>The host's <c>_meta</c>, with what is still to come, and which members are null although no patch could say so.</summary>
    private Document Meta(CompositionReport report, IReadOnlyList<Part> pending) =>
        new(bytes =>
        {
            using (var json = new Utf8JsonWriter(bytes))
            {
                meta!.Write(json, report);
            }

            Append(bytes, "\"pending\":"u8, [.. pending.Select(static part => part.Name)]);
            Append(bytes, "\"nulls\":"u8, _nulls);
        });

    // Reopens the object's end for one more member, where there is anything to say.
    private void Append(AnswerBuffer bytes, ReadOnlySpan<byte> name, List<string> values)
    {
        if (values.Count == 0)
        {
            return;
        }

        bytes.DropLast();
        if (bytes.WrittenCount > 1)
        {
            bytes.Write(","u8);
        }

        bytes.Write(name);
        using (var json = new Utf8JsonWriter(bytes, _options))
        {
            json.WriteStartArray();
            values.ForEach(json.WriteStringValue);
            json.WriteEndArray();
        }

        bytes.Write("}"u8);
    }

    private sealed class Document : IDisposable
    {
        private readonly JsonDocument _parsed;

        public Document(Action<AnswerBuffer> write)
        {
            write(Bytes);
            _parsed = JsonDocument.Parse(Bytes.WrittenMemory);
        }

        public AnswerBuffer Bytes { get; } = new();

        public JsonElement Root => _parsed.RootElement;

        public void Dispose()
        {
            _parsed.Dispose();
            Bytes.Dispose();
        }
    }
}
