using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Bff.Composition.Progressive;

/// <summary>
/// Writes an answer as lines. The first line is the answer at that time; each further line is a JSON Merge Patch (RFC 7396) from the
/// previous answer to the current one. All lines have <c>_meta</c>. The patch compares the serialized answers, so endpoints need no code
/// for it.
/// </summary>
internal sealed class AnswerLines<T>(JsonTypeInfo<T> type, ICompositionMeta? meta) : IDisposable
{
    private readonly AnswerBuffer _line = new();
    private readonly List<string> _nulls = [];
    private readonly JsonWriterOptions _options = new() { SkipValidation = true, Encoder = type.Options.Encoder };
    private Document? _answer;
    private Document? _meta;

    /// <summary>The answer of the latest line, without <c>_meta</c>.</summary>
    public ReadOnlySpan<byte> Answer => _answer!.Bytes.WrittenSpan;

    /// <summary>Returns the line for an answer; the memory is valid until the next call.</summary>
    /// <param name="answer">The current answer.</param>
    /// <param name="report">The outcome so far.</param>
    /// <param name="pending">Parts that are still running.</param>
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

    /// <summary>
    /// Writes the host's <c>_meta</c>, with the pending parts and the members that are null although no patch could say so.
    /// </summary>
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

    // Replaces the closing brace, so that one more member fits in; does nothing without values.
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
