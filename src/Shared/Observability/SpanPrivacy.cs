using System.Diagnostics;
using OpenTelemetry;

namespace Bff.Observability;

/// <summary>
/// Takes out of the framework's spans what may name a person: query strings, and the paths of upstream calls, which hold ids.
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
