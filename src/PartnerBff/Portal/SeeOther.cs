namespace PartnerBff.Portal;

/// <summary>After a form: look at the page anew (RFC 9110 section 15.4.4), so that reloading repeats nothing.</summary>
/// <param name="path">Of this host.</param>
internal sealed class SeeOther(string path) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = path;
        return Task.CompletedTask;
    }
}
