using System.Net;
using System.Text.Json.Nodes;
using Bff.Dev.Upstreams.Faults;

namespace Bff.TestKit.Failures;

/// <summary>Compares one answer with the specification of its case.</summary>
internal sealed class FailureVerdict(
    FailureRow row,
    FailurePart part,
    FailureWay way,
    string id,
    Func<JsonObject, string, string?> statusOf,
    LeakSentinel leaks,
    List<string> says
)
{
    // Texts in the services' own error answers.
    private static readonly string[] Inside = ["upstream-7", "told to fail", "price book", "as told", "service_fault"];

    public async Task Judge(HttpClient client, HttpRequestMessage request)
    {
        leaks.Own(client.BaseAddress!.Port);
        if (row.Kind == AnswerKind.PassThrough)
        {
            await JudgePassage(client, request);
            return;
        }

        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (row.Kind == AnswerKind.Batch)
        {
            JudgeBatch(response, text);
        }
        else if (part.IsRequired)
        {
            JudgeProblem(response, text, row.Kind == AnswerKind.Composed ? part.Name : null);
        }
        else
        {
            JudgeDegraded(response, text);
        }
    }

    private (int Status, string Code, string Part) Expected =>
        way.Ending == Ending.Timeout ? (504, "upstream_timeout", "timeout") : (502, "upstream_failed", "failed");

    /// <summary>How a pass-through treats the answer. The answer to a keyed write is kept, so it must be complete.</summary>
    private Passage Passage =>
        row.Sending == Sending.UnderOneKey && way.Fault.Mode is (FaultMode.ResetMidBody or FaultMode.Endless or FaultMode.Oversize)
            ? Passage.Problem
            : way.Passage;

    private async Task JudgePassage(HttpClient client, HttpRequestMessage request)
    {
        using var response = await Head(client, request);
        if (response is null)
        {
            return; // The reset has overtaken the head.
        }

        switch (Passage)
        {
            case Passage.Problem:
                JudgeProblem(response, await response.Content.ReadAsStringAsync(), null);
                break;
            case Passage.Refusal:
                Check(response.StatusCode == HttpStatusCode.TooManyRequests, $"answered {(int)response.StatusCode}");
                Check(response.Content.Headers.ContentType?.MediaType == "application/problem+json", "is not the service's problem");
                break;
            case Passage.Broken:
                // An answer without a body cannot break within it.
                var isBroken = false;
                try
                {
                    await response.Content.ReadAsByteArrayAsync();
                }
                catch (HttpRequestException)
                {
                    isBroken = true;
                }

                Check(isBroken || response.StatusCode == HttpStatusCode.NoContent, $"ended well with {(int)response.StatusCode}");
                break;
            default:
                Check(response.IsSuccessStatusCode, $"answered {(int)response.StatusCode}");
                break;
        }
    }

    /// <summary>
    /// Returns the response; null if the connection broke before the head, which is only allowed for an answer that breaks.
    /// </summary>
    private async Task<HttpResponseMessage?> Head(HttpClient client, HttpRequestMessage request)
    {
        try
        {
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }
        catch (HttpRequestException) when (Passage == Passage.Broken)
        {
            return null;
        }
    }

    private void JudgeProblem(HttpResponseMessage response, string text, string? section)
    {
        var (status, code, _) = Expected;
        if (!Check((int)response.StatusCode == status, $"answered {(int)response.StatusCode} instead of {status}: {text}"))
        {
            return;
        }

        Check(response.Content.Headers.ContentType?.MediaType == "application/problem+json", "is no problem document");
        Check(response.Headers.CacheControl?.NoStore == true, "may be stored");
        Check(response.Headers.TryGetValues("X-Request-Id", out var ids) && ids.Single() == id, "has another request id");
        var problem = JsonNode.Parse(text)!.AsObject();
        Check(
            (int?)problem["status"] == status
                && (string?)problem["code"] == code
                && (string?)problem["section"] == section
                && (string?)problem["requestId"] == id,
            text
        );
        Check(((string?)problem["type"])?.EndsWith("/problems/" + code, StringComparison.Ordinal) == true, text);
        foreach (var member in (string[])["title", "detail", "instance", "traceId"])
        {
            Check(!string.IsNullOrEmpty((string?)problem[member]), $"has no {member}: {text}");
        }

        Conceals(text);
    }

    private void JudgeBatch(HttpResponseMessage response, string text)
    {
        var (status, code, _) = Expected;
        if (!Check(response.StatusCode == HttpStatusCode.MultiStatus, $"answered {(int)response.StatusCode}: {text}"))
        {
            return;
        }

        var results = JsonNode.Parse(text)!["results"]!.AsArray();
        Check(results.All(r => (int?)r!["status"] == status && (string?)r["error"]?["code"] == code), text);
        Conceals(text);
    }

    private void JudgeDegraded(HttpResponseMessage response, string text)
    {
        if (!Check(response.StatusCode == HttpStatusCode.OK, $"answered {(int)response.StatusCode}: {text}"))
        {
            return;
        }

        var answer = JsonNode.Parse(text)!.AsObject();
        var status = part.HasStandIn ? "fallback" : Expected.Part;
        Check(statusOf(answer, part.Name) == status, $"{part.Name} is not {status}: {answer["_meta"]?.ToJsonString()}");
        foreach (var other in row.Parts.Where(p => p.Name != part.Name))
        {
            Check(statusOf(answer, other.Name) is null or "live", $"{other.Name} suffers too: {answer["_meta"]?.ToJsonString()}");
        }

        foreach (var member in part.Members)
        {
            Check(MembersAt(answer, member).All(found => found is { Exists: true, IsNull: true }), $"{member} is not null: {text}");
        }

        var failed = part.HasStandIn ? 0 : 1;
        Check(
            (int?)answer["_meta"]!["servicesCalled"] - failed == (int?)answer["_meta"]!["servicesSucceeded"],
            $"counts {answer["_meta"]?.ToJsonString()}"
        );
        Check(response.Headers.CacheControl?.NoStore == true && response.Headers.ETag is null, "a degraded answer may be kept");
        Check(
            response.Headers.TryGetValues("Server-Timing", out var timing)
                && timing.Single().Contains($"{part.Name};dur=", StringComparison.Ordinal),
            "is not in Server-Timing"
        );
        Conceals(text);
    }

    /// <summary>Finds <c>price</c> in the answer, or <c>items[].price</c> in each item.</summary>
    private static IEnumerable<(bool Exists, bool IsNull)> MembersAt(JsonObject answer, string path)
    {
        var (list, member) = path.Split("[].") is [var items, var last]
            ? (answer[items]!.AsArray().Select(i => i!.AsObject()).ToList(), last)
            : ([answer], path);
        return list.Select(o => (o.ContainsKey(member), o[member] is null));
    }

    private void Conceals(string text)
    {
        leaks.CheckErrorBody(row + " / " + way, text);
        foreach (var word in Inside)
        {
            Check(!text.Contains(word, StringComparison.OrdinalIgnoreCase), $"tells '{word}': {text}");
        }
    }

    private bool Check(bool holds, string find)
    {
        if (!holds)
        {
            says.Add(find);
        }

        return holds;
    }
}
