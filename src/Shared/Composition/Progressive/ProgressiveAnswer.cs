using System.Text.Json.Serialization.Metadata;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Composition.Progressive;

/// <summary>
/// A composed answer that starts when its required parts have ended. 1. An answer without <c>_meta</c> cannot tell what is pending, so it
/// waits for all parts; 2. a complete answer is one line with the same headers as the plain answer; 3. otherwise the head goes out with the
/// parts that have ended, and the answer may not be cached; 4. each part that ends adds a line, which is flushed at once; for a slow client
/// the gateway waits, within the server's limits, and parts that end meanwhile share a line; 5. an error before the last line aborts the
/// response, so that no client takes half an answer for a whole.
/// </summary>
internal sealed class ProgressiveAnswer<T> : Composed<T>
{
    private readonly Func<T> _make;
    private readonly ProgressiveRun _run;

    public ProgressiveAnswer(Func<T> make, JsonTypeInfo<T> type, ProgressiveRun run)
        : base(make(), type, run.Report()) => (_make, _run) = (make, run);

    /// <inheritdoc />
    public override async Task ExecuteAsync(HttpContext httpContext)
    {
        try
        {
            await Write(httpContext);
        }
        finally
        {
            await _run.DisposeAsync(); // 5
        }
    }

    private async Task Write(HttpContext context)
    {
        var services = context.RequestServices;
        var meta = WithMeta ? services.GetService<ICompositionMeta>() : null;
        var answer = Answer!;
        if (meta is null && !_run.IsWhole)
        {
            await _run.Rest(); // 1
            (answer, Report) = (_make(), _run.Report());
        }

        using var lines = new AnswerLines<T>(Type!, meta);
        var line = lines.Next(answer, Report, _run.Pending);
        Introduce(context, services);
        if (_run.IsWhole && IsUnchanged(context, services, lines.Answer))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        Head(context.Response);
        context.Response.ContentType = ProgressiveAsk.MediaType;
        BffRequest.Of(context).IsProgressive = true;
        if (_run.IsWhole)
        {
            context.Response.ContentLength = line.Length; // 2
        }
        else
        {
            context.Response.Headers["X-Accel-Buffering"] = "no"; // 3. Keeps proxies on the way from buffering.
            context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        }

        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        await context.Response.Body.WriteAsync(line, context.RequestAborted);
        while (await _run.Next()) // 4
        {
            line = lines.Next(_make(), _run.Report(), _run.Pending);
            await context.Response.Body.WriteAsync(line, context.RequestAborted);
        }
    }

    private void Introduce(HttpContext context, IServiceProvider services)
    {
        var headers = context.Response.Headers;
        headers.Vary = ProgressiveAsk.Vary;
        if (services.GetRequiredService<CompositionOptions>().ServerTiming)
        {
            headers["Server-Timing"] = Report.ServerTiming();
        }

        if (ProgressiveAsk.IsPreferred(context.Request))
        {
            headers["Preference-Applied"] = ProgressiveAsk.Preference;
        }
    }
}
