using System.Diagnostics;
using OpenTelemetry;

namespace Bff.Observability;

/// <summary>
/// Removes from the framework's spans what may identify a person: query strings, the paths of upstream calls, which hold ids, user agents
/// and client addresses.
/// </summary>
internal sealed class SpanPrivacy : BaseProcessor<Activity>
{
    public override void OnEnd(Activity data)
    {
        if (data.GetTagItem("url.full") is string full && Uri.TryCreate(full, UriKind.Absolute, out var uri))
        {
            data.SetTag("url.full", uri.GetLeftPart(UriPartial.Authority));
        }

        data.SetTag("url.query", null);
        if (data.GetTagItem("url.path") is not null)
        {
            data.SetTag("url.path", data.GetTagItem("http.route"));
        }

        data.SetTag("user_agent.original", null);
        data.SetTag("client.address", null);
    }
}
