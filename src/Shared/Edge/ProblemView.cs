using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>
/// Endpoint metadata: what a problem looks like to people, where the client asks for <c>text/html</c> as a browser does when it opens a
/// page.
/// </summary>
/// <param name="Show">Makes the page; its status is the problem's.</param>
public sealed record ProblemView(Func<HttpContext, Problem, Task<IResult>> Show);
